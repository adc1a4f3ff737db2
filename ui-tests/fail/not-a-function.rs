use trace_runtime::traced;

#[traced]
struct Order; //~

#[traced]
pub(crate) enum Kind { //~
    Big,
}

#[traced]
macro_rules! order { //~
    () => {
        Order
    };
}

#[traced]
unsafe extern "C" { //~
    fn _abs(n: i32) -> i32;
}

#[traced]
mod orders {} //~

#[traced]
const LIMIT: u8 = 1; //~

fn main() {
    let _ = (order!(), Kind::Big, LIMIT);
}
