use trace_runtime::traced;

#[traced]
fn checkout(order_id: u64) -> Result<u64, String> {
    if order_id == 0 {
        return Err(0); //~
    }
    Ok("x") //~
}

#[traced]
async fn load(order_id: u64) -> Result<u64, String> {
    if order_id == 0 {
        return Err(0); //~
    }
    Ok("x") //~
}

fn main() {
    let _ = checkout(1);
    let _ = load(1);
}
