use trace_runtime::traced;

#[traced]
fn checkout(#[traced("id")] order: u64, #[traced("id")] user: u64) { //~
    let _ = (order, user);
}

fn main() {
    checkout(1, 2);
}
