use trace_runtime::traced;

#[traced]
unsafe extern "C" fn checkout(order_id: u64, _: ...) { //~~ the second is not ours: they are unstable
    let _ = order_id;
}

fn main() {
    unsafe { checkout(1) };
}
