use trace_runtime::traced;

#[traced]
fn checkout(#[traced(kind = client)] order_id: u64) { //~
    let _ = order_id;
}

fn main() {
    checkout(1);
}
