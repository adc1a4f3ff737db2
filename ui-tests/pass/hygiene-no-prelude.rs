#![no_implicit_prelude]
#![deny(warnings)]

extern crate trace_runtime;

/// Names that generated code must not pick up.
mod core {}
mod std {}
mod alloc {}
mod tracing {}
mod opentelemetry {}

use ::trace_runtime::traced;

struct Orders {
    id: u64,
}

#[traced(fields(self.id, twice = 2 * self.id), kind = client)]
impl Orders {
    fn checkout(&self, id: u64) -> ::core::result::Result<u64, ::std::string::String> {
        ::core::result::Result::Ok(self.id + id)
    }

    #[traced(ret(total = *ret), err(text = %err), err_type = "order")]
    async fn load(&self, id: u64) -> ::core::result::Result<u64, ::std::string::String> {
        if id == 0 {
            return ::core::result::Result::Err(::std::string::String::new());
        }
        ::core::result::Result::Ok(self.id + id)
    }

    fn boxed(
        &self,
        id: u64,
    ) -> ::core::pin::Pin<::std::boxed::Box<dyn ::core::future::Future<Output = u64> + '_>> {
        ::std::boxed::Box::pin(async move { self.id + id })
    }

    fn future(&self, id: u64) -> impl ::core::future::Future<Output = u64> + '_ {
        async move { self.id + id }
    }

    fn numbers(&self) -> impl ::core::iter::Iterator<Item = u64> + '_ {
        ::core::iter::once(self.id)
    }
}

#[traced(name = "dynamic", root, err_if = ::core::option::Option::is_none)]
fn find(id: u64) -> ::core::option::Option<u64> {
    ::core::option::Option::Some(id)
}

fn main() {
    let orders = Orders { id: 1 };
    let _ = orders.checkout(2);
    let _ = orders.load(2);
    let _ = orders.boxed(3);
    let _ = orders.future(3);
    let _ = orders.numbers();
    let _ = find(4);
}
