use trace_runtime::traced;

#[traced(ret(order_id = 1))] //~
fn checkout(order_id: u64) -> u64 {
    order_id
}

fn main() {
    checkout(1);
}
