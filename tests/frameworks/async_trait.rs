//! `#[async_trait]` on either side of `#[traced]`, on traits, on `impl` blocks and on one method.

use std::sync::Arc;

use async_trait::async_trait;
use trace_runtime::testing::capture;
use trace_runtime::traced;

#[async_trait]
trait Store: Send + Sync {
    async fn load(&self, id: u64, name: &str) -> Result<String, String>;

    async fn save(&self, id: u64) -> u64;

    #[traced]
    async fn provided(&self, id: u64) -> u64 {
        self.save(id).await
    }
}

/// `#[traced]` above: one box, the documented order.
struct Above;

#[traced(kind = client, fields(store = "above"))]
#[async_trait]
impl Store for Above {
    async fn load(&self, id: u64, name: &str) -> Result<String, String> {
        tokio::task::yield_now().await;
        if id == 0 {
            return Err(format!("no {name}"));
        }
        Ok(format!("{name} {id}"))
    }

    #[traced("save", level = debug)]
    async fn save(&self, id: u64) -> u64 {
        id + 1
    }
}

/// `#[traced]` below: it sees functions that return a box.
struct Below;

#[async_trait]
#[traced(kind = client, fields(store = "below"))]
impl Store for Below {
    async fn load(&self, id: u64, name: &str) -> Result<String, String> {
        tokio::task::yield_now().await;
        if id == 0 {
            return Err(format!("no {name}"));
        }
        Ok(format!("{name} {id}"))
    }

    #[traced("save", level = debug)]
    async fn save(&self, id: u64) -> u64 {
        id + 1
    }
}

/// Only some of the methods.
struct One;

#[async_trait]
impl Store for One {
    #[traced(kind = client, fields(store = "one"))]
    async fn load(&self, id: u64, name: &str) -> Result<String, String> {
        tokio::task::yield_now().await;
        if id == 0 {
            return Err(format!("no {name}"));
        }
        Ok(format!("{name} {id}"))
    }

    #[traced("save", kind = client, fields(store = "one"))]
    async fn save(&self, id: u64) -> u64 {
        id + 1
    }
}

/// What every order records.
async fn recorded(store: Arc<dyn Store>, name: &str) -> String {
    let capture = capture();
    capture
        .scope_async(async {
            assert_eq!(store.load(1, "tea").await.unwrap(), "tea 1");
            assert_eq!(store.load(0, "tea").await.unwrap_err(), "no tea");
            assert_eq!(store.provided(2).await, 3);
        })
        .await;
    capture.tree().replace(name, "NAME")
}

#[tokio::test]
async fn every_order_records_the_same() {
    let expected = "NAME::load [client] {id=1, name=\"tea\", store=\"NAME\"}\n\
        NAME::load [client] {id=0, name=\"tea\", store=\"NAME\", error.type=\"alloc::string::String\"} !error \"no tea\"\n  \
        - exception {exception.type=\"alloc::string::String\", exception.message=\"no tea\"}\n\
        Store::provided {id=2}\n  \
        save [client] {id=2, store=\"NAME\"}\n";
    for (store, name) in [
        (Arc::new(Above) as Arc<dyn Store>, "above"),
        (Arc::new(Below), "below"),
        (Arc::new(One), "one"),
    ] {
        let found = recorded(store, name).await;
        let mut type_name = name.to_owned();
        type_name[..1].make_ascii_uppercase();
        assert_eq!(found.replace(&type_name, "NAME"), expected, "{name}");
    }
}

#[async_trait(?Send)]
trait Local {
    async fn run(self: Box<Self>, n: u8) -> u8;
}

#[traced]
#[async_trait(?Send)]
impl Local for One {
    async fn run(self: Box<Self>, n: u8) -> u8 {
        let local = std::rc::Rc::new(n);
        tokio::task::yield_now().await;
        *local
    }
}

#[tokio::test]
async fn futures_that_stay_on_their_thread_are_traced() {
    let capture = capture();
    let n = capture.scope_async(Box::new(One).run(3)).await;
    assert_eq!((n, capture.tree().as_str()), (3, "One::run {n=3}\n"));
}
