use trace_runtime::traced;

#[traced(skip(usr))] //~
fn checkout(order_id: u64, user: &str) {
    let _ = (order_id, user);
}

fn main() {
    checkout(1, "a");
}
