use trace_runtime::traced;

macro_rules! define {
    ($(#[$attr:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),*) -> $ret:ty $body:block) => {
        #[traced]
        $(#[$attr])*
        $vis fn $name($($arg: $ty),*) -> $ret $body
    };
}

define! {
    /// Documented.
    pub(crate) fn double(n: u64) -> Result<u64, String> {
        if n == 0 {
            return Err("zero".to_owned());
        }
        Ok(n * 2)
    }
}

macro_rules! define_async {
    ($name:ident, $span:literal, $key:literal, $value:expr, $pat:pat, $ty:ty, $kind:ident) => {
        #[traced($span, kind = $kind, fields($key = $value, sum = $value * 2))]
        async fn $name($pat: $ty) -> $ty {
            let (a, b) = (1, 2);
            (a, b)
        }
    };
}

define_async!(
    pair,
    "GET /pair",
    "pair.sum",
    1 + 2,
    (_a, _b),
    (u8, u8),
    client
);

macro_rules! item {
    ($item:item) => {
        #[traced(name = stringify!(dynamic), ret(m = *ret), err(text = %err))]
        $item
    };
}

item! {
    fn whole(n: u64) -> Result<u64, String> { Ok(n) }
}

macro_rules! methods {
    ($owner:ty { $($name:ident($n:expr))* }) => {
        #[traced]
        impl $owner {
            $(fn $name(&self, other: u8) -> u8 { $n + other })*
        }
    };
}

struct Numbers;
methods!(Numbers { one(1) two(2) });

macro_rules! hygienic {
    ($body:expr) => {
        #[traced]
        fn hygienic(n: u8) -> u8 {
            let m = $body;
            n + m
        }
    };
}
hygienic!(4);

macro_rules! local {
    ($($name:ident)*) => {$(
        #[traced(only(n))]
        fn $name(n: u8, _m: u8) -> u8 { n }
    )*};
}

fn main() {
    local!(a b);
    assert_eq!(double(2), Ok(4));
    assert!(double(0).is_err());
    drop(pair((1, 2)));
    assert_eq!(whole(1), Ok(1));
    assert_eq!(Numbers.one(1) + Numbers.two(1), 5);
    assert_eq!(hygienic(1), 5);
    assert_eq!(a(1, 2) + b(1, 2), 2);
}
