use trace_runtime::traced;

#[traced(fields(user.id = 1, user.id = 2))] //~
fn checkout(order_id: u64) {
    let _ = order_id;
}

fn main() {
    checkout(1);
}
