use trace_runtime::{event, record, set_error, span};

async fn buy(n: u64) -> u64 {
    record!(rows = n, rows = n); //~
    event!(key = n); //~
    set_error!(); //~
    span!("buy"); //~
    span!("buy", n => std::future::ready(n).await) //~
}

fn main() {
    drop(buy(1));
}
