use trace_runtime::traced;

struct Orders;

#[traced(skip(db))] //~
impl Orders {
    fn new(size: u8) -> Self {
        let _ = size;
        Self
    }

    #[traced(kind = sever)] //~
    fn checkout(&self, order_id: u64) {
        let _ = order_id;
    }
}

fn main() {
    Orders::new(1).checkout(1);
}
