use trace_runtime::traced;

#[traced(skip(order_id), skip_all)] //~
fn checkout(order_id: u64) {
    let _ = order_id;
}

fn main() {
    checkout(1);
}
