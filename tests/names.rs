//! What spans are called without being told, and where they say they are.

use trace_runtime::{testing, traced};

/// Names and `code.function.name` of what runs, by start, without the crate.
fn names(run: impl FnOnce()) -> Vec<(String, String)> {
    let capture = testing::capture();
    capture.scope(run);
    let spans = capture.spans();
    let name = |span: &trace_runtime::SpanRecord| {
        let path = span.attribute("code.function.name").unwrap().to_string();
        let path = path.replacen("names::", "", 1);
        (span.name.to_string(), path)
    };
    spans.iter().map(name).collect()
}

fn named(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, path)| ((*name).into(), (*path).into()))
        .collect()
}

#[traced]
fn free() {}

mod store {
    use trace_runtime::traced;

    #[traced]
    pub(super) fn in_a_module() {}

    pub(super) struct Orders<T>(pub(super) T);

    impl<T: Clone> Orders<T> {
        #[traced]
        pub(super) fn inherent(&self) {
            let _ = &self.0;
        }

        #[traced]
        pub(super) fn associated() {}

        #[traced]
        pub(super) fn generic<U>(&self, other: U) -> U {
            other
        }
    }

    pub(super) trait Store {
        fn save(&self);

        #[traced]
        fn provided(&self) {
            self.save();
        }
    }

    impl<T> Store for Orders<Vec<T>> {
        #[traced]
        fn save(&self) {}
    }
}

#[test]
fn a_function_has_its_name() {
    assert_eq!(
        names(|| {
            free();
            store::in_a_module();
        }),
        named(&[("free", "free"), ("in_a_module", "store::in_a_module")])
    );
}

#[test]
fn a_method_has_its_type_s_name_in_front_without_generics() {
    use store::{Orders, Store as _};
    let found = names(|| {
        let orders = Orders(vec![1_u8]);
        orders.inherent();
        Orders::<Vec<u8>>::associated();
        orders.generic("x");
        orders.save();
    });
    let found: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        found,
        [
            "Orders::inherent",
            "Orders::associated",
            "Orders::generic",
            "Orders::save"
        ]
    );
}

#[test]
fn the_path_of_a_method_is_as_the_compiler_tells_it() {
    use store::Store as _;
    let found = names(|| store::Orders(vec![1_u8]).provided());
    assert_eq!(
        found,
        named(&[
            ("Store::provided", "store::Store::provided"),
            (
                "Orders::save",
                "<store::Orders<alloc::vec::Vec<_>> as names::store::Store>::save"
            )
        ])
    );
}

#[test]
fn functions_inside_functions_and_closures_have_their_own_names() {
    #[traced]
    fn inside() {}

    let closure = || {
        #[traced]
        fn in_a_closure() {}
        in_a_closure();
    };
    let found = names(|| {
        inside();
        closure();
    });
    let test = "functions_inside_functions_and_closures_have_their_own_names";
    assert_eq!(
        found,
        named(&[
            ("inside", &format!("{test}::inside")),
            ("in_a_closure", &format!("{test}::in_a_closure"))
        ])
    );
}

#[traced]
async fn asynchronous() {
    Box::pin(async { free() }).await;
}

#[traced]
fn r#type() {}

macro_rules! define {
    ($name:ident) => {
        #[traced]
        fn $name() {}
    };
}

define!(defined);

#[tokio::test]
async fn async_raw_and_generated_functions_have_their_names() {
    let capture = testing::capture();
    capture
        .scope_async(async {
            asynchronous().await;
            r#type();
            defined();
        })
        .await;
    assert_eq!(capture.tree(), "asynchronous\n  free\ntype\ndefined\n");
}
