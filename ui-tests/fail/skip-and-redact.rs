use trace_runtime::traced;

#[traced(skip(order_id), redact(order_id))] //~
fn checkout(order_id: u64) {
    let _ = order_id;
}

fn main() {
    checkout(1);
}
