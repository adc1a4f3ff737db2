use trace_runtime::traced;

#[traced]
fn checkout(#[traced("pair")] (a, b): (u64, u64)) { //~
    let _ = (a, b);
}

fn main() {
    checkout((1, 2));
}
