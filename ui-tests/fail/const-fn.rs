use trace_runtime::traced;

#[traced]
const fn checkout(order_id: u64) -> u64 { //~
    order_id
}

fn main() {
    checkout(1);
}
