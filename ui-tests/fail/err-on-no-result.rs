use trace_runtime::traced;

#[traced(err(code = 1))] //~
fn checkout(order_id: u64) -> Option<u64> {
    Some(order_id)
}

fn main() {
    checkout(1);
}
