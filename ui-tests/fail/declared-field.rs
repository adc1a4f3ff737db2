use trace_runtime::traced;

#[traced(fields(result = tracing::field::Empty))] //~
fn checkout(order_id: u64) {
    let _ = order_id;
}

fn main() {
    checkout(1);
}
