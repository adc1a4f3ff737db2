use trace_runtime::traced;

struct Orders;

impl Orders {
    #[traced(nmae = "x", kind = sever, skip(usr))] //~~~ nmae, sever, usr
    fn checkout(&self, order_id: u64) {
        let _ = order_id;
    }
}

fn main() {
    Orders.checkout(1);
}
