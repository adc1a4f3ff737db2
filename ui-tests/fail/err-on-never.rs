use trace_runtime::traced;

#[traced(err(code = 1))] //~
fn checkout(_order_id: u64) -> ! {
    std::process::exit(1)
}

fn main() {
    checkout(1);
}
