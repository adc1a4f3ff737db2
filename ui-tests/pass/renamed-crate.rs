mod telemetry {
    pub use ::trace_runtime::*;
}

use ::trace_runtime as tr;

/// Nothing of this name may be looked up.
mod trace_runtime {}

#[telemetry::traced(crate = crate::telemetry)]
fn reexported(#[telemetry::traced("order.id")] id: u64) -> Result<u64, String> {
    Ok(id)
}

#[tr::traced(crate = tr)]
async fn renamed(id: u64) -> Result<u64, String> {
    Ok(id)
}

struct Orders;

#[tr::traced(crate = crate::telemetry)]
impl Orders {
    #[tr::traced(kind = client)]
    fn save(&self, #[traced(redact)] card: u64) -> u64 {
        card
    }
}

macro_rules! define {
    ($krate:path) => {
        #[tr::traced(crate = $krate)]
        fn defined() {}
    };
}

define!(crate::telemetry);

fn main() {
    assert_eq!(reexported(1), Ok(1));
    let _ = renamed(1);
    assert_eq!(Orders.save(2), 2);
    defined();
}
