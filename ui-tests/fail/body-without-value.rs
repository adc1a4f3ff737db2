use trace_runtime::traced;

#[traced]
fn count(orders: u64) -> Result<u64, String> { //~
    Ok(orders);
}

#[traced]
async fn load(orders: u64) -> u64 { //~
    orders + 1;
}

#[traced]
fn nothing(orders: u64) {
    orders + 1 //~
}

#[traced]
async fn nothing_async(orders: u64) {
    orders + 1 //~
}

fn main() {}
