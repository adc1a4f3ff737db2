use trace_runtime::traced;

#[traced(err_type = "x", err = off)] //~
fn checkout(order_id: u64) -> Result<u64, u8> {
    Ok(order_id)
}

fn main() {
    let _ = checkout(1);
}
