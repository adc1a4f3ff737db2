use trace_runtime::{event, record, set_error, span};

struct Cart;

fn main() {
    let cart = Cart;
    record!(cart); //~
    event!("bought", ?cart); //~
    span!("buy", cart = %cart => set_error!("broken", cart = cart)); //~~
}
