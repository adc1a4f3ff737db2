#![deny(warnings)]

use trace_runtime::traced;

struct Orders {
    id: u64,
}

#[traced(kind = client, fields(self.id, db = "orders"), skip(secret), err(text = %err), err_type = "orders", level = debug)]
impl Orders {
    pub const LIMIT: [u8; 2] = { [1, 2] };

    #[traced(off)]
    fn new(#[traced(skip)] id: u64) -> Self {
        Self { id }
    }

    pub(crate) const fn id(&self) -> u64 {
        self.id
    }

    fn associated(id: u64) -> u64 {
        id
    }

    #[traced("save", kind = server, fields(db = "other"))]
    async fn save(&mut self, id: u64, secret: &str) -> Result<u64, String> {
        self.id = id;
        Ok(secret.len() as u64)
    }

    #[traced(err = off)]
    fn quiet(&self, secret: u8) -> Result<u8, String> {
        Ok(secret)
    }

    #[traced(err_if = Option::is_none, err(all = 1))]
    #[allow(clippy::result_unit_err)]
    fn find(&self) -> Result<u8, String> {
        fn is_none(_: &Result<u8, String>) -> bool {
            false
        }
        let _ = is_none;
        Ok(1)
    }
}

trait Option {
    fn is_none(&self) -> bool;
}

impl Option for Result<u8, String> {
    fn is_none(&self) -> bool {
        false
    }
}

#[traced(skip_all)]
trait Store {
    const N: u8 = 1;
    type Id: Into<u64>;

    fn save(&self, id: Self::Id) -> u64;

    fn provided(&self, id: Self::Id) -> u64 {
        id.into() + u64::from(Self::N)
    }

    fn consumed(self, id: Self::Id) -> u64
    where
        Self: Sized,
    {
        self.save(id)
    }

    async fn provided_async(&self, id: Self::Id) -> Result<u64, String> {
        Ok(self.save(id))
    }
}

#[traced]
impl Store for Orders {
    type Id = u32;

    fn save(&self, id: u32) -> u64 {
        self.id + u64::from(id)
    }
}

#[traced]
unsafe trait Marker {
    fn mark(&self) {}
}

#[traced]
unsafe impl<T: Store + ?Sized> Marker for T {}

fn main() {
    let mut orders = Orders::new(1);
    assert_eq!(orders.id(), 1);
    assert_eq!(Orders::associated(2), 2);
    drop(Orders::save(&mut orders, 1, "x"));
    assert_eq!(orders.quiet(1), Ok(1));
    assert_eq!(orders.find(), Ok(1));
    assert_eq!(Orders::LIMIT, [1, 2]);
    assert_eq!(Store::save(&orders, 1), 2);
    assert_eq!(orders.provided(1), 2);
    drop(orders.provided_async(1));
    orders.mark();
    assert_eq!(orders.consumed(1), 2);
}
