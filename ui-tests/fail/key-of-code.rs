use trace_runtime::traced;

#[traced(fields(code.line.number = 1))] //~
fn checkout(order_id: u64) {
    let _ = order_id;
}

fn main() {
    checkout(1);
}
