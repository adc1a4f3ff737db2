use trace_runtime::traced;

#[traced]
fn count(orders: u64) -> u64 {
    let doubled = orders * 2 //~
    doubled
}

fn main() {}
