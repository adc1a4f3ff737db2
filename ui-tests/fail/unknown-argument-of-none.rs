use trace_runtime::traced;

#[traced(only(order))] //~
fn checkout() {}

fn main() {
    checkout();
}
