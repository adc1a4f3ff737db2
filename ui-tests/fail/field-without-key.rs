use trace_runtime::traced;

#[traced(fields(order_id + 1))] //~
fn checkout(order_id: u64) {
    let _ = order_id;
}

fn main() {
    checkout(1);
}
