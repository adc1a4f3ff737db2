use trace_runtime::traced;

#[traced(fields(order.cart = Cart))] //~
fn checkout(order_id: u64) {
    let _ = order_id;
}

struct Cart;

fn main() {
    checkout(1);
}
