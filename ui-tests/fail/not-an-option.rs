use trace_runtime::traced;

#[traced("checkout", 1)] //~
fn checkout(order_id: u64) {
    let _ = order_id;
}

fn main() {
    checkout(1);
}
