use trace_runtime::traced;

#[traced(ret(order_id))] //~
fn checkout(order: u64) -> u64 {
    order
}

fn main() {
    checkout(1);
}
