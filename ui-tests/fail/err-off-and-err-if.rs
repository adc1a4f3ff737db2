use trace_runtime::traced;

#[traced(err = off, err_if = Option::is_none)] //~
fn checkout(order_id: u64) -> Option<u64> {
    Some(order_id)
}

fn main() {
    checkout(1);
}
