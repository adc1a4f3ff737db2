use trace_runtime::ToValue;

struct Cart;

#[derive(ToValue)]
struct CartId(Cart); //~

fn main() {
    CartId(Cart).to_value();
}
