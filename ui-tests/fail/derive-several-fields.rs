use trace_runtime::ToValue;

#[derive(ToValue)]
struct Order { //~
    id: u64,
    total: u64,
}

#[derive(ToValue)]
enum State {
    New,
    Paid(u64), //~
}

fn main() {
    let order = Order { id: 1, total: 2 };
    order.to_value();
    State::Paid(order.id + order.total).to_value();
    State::New.to_value();
}
