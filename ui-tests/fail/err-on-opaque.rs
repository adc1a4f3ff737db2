use trace_runtime::traced;

#[traced(err(code = 1))] //~
fn checkout(order_id: u64) -> impl Iterator<Item = u64> {
    std::iter::once(order_id)
}

fn main() {
    let _ = checkout(1);
}
