#![deny(warnings)]

use trace_runtime::traced;

#[async_trait::async_trait]
trait Store: Send + Sync {
    async fn load(&self, id: u64, name: &str) -> Result<String, String>;
    async fn save(&mut self, id: u64);
    async fn generic<T: Send + Clone + 'static>(&self, value: T) -> T
    where
        Self: Sized;

    #[traced]
    async fn provided(&self, (a, b): (u8, u8), mut c: u8) -> u8 {
        c += a;
        b + c
    }
}

struct Above(u64);

#[traced(fields(id = self.0))]
#[async_trait::async_trait]
impl Store for Above {
    async fn load(&self, id: u64, name: &str) -> Result<String, String> {
        if id == 0 {
            return Err("zero".to_owned());
        }
        let text = self.text(id).await?;
        Ok(format!("{text}{name}"))
    }

    async fn save(&mut self, id: u64) {
        self.0 = id;
    }

    async fn generic<T: Send + Clone + 'static>(&self, value: T) -> T {
        value.clone()
    }
}

impl Above {
    #[traced]
    async fn text(&self, id: u64) -> Result<String, String> {
        Ok((self.0 + id).to_string())
    }
}

struct Below(u64);

#[async_trait::async_trait]
#[traced(skip(name))]
impl Store for Below {
    async fn load(&self, id: u64, name: &str) -> Result<String, String> {
        if id == 0 {
            return Err("zero".to_owned());
        }
        Ok(format!("{}{name}", self.0 + id))
    }

    async fn save(&mut self, id: u64) {
        self.0 = id;
    }

    async fn generic<T: Send + Clone + 'static>(&self, value: T) -> T {
        value.clone()
    }
}

struct Each;

#[async_trait::async_trait(?Send)]
trait Local {
    async fn run(self: Box<Self>, n: u8) -> u8;
}

#[async_trait::async_trait(?Send)]
impl Local for Each {
    #[traced(kind = consumer)]
    async fn run(self: Box<Self>, n: u8) -> u8 {
        let local = std::rc::Rc::new(n);
        tokio::task::yield_now().await;
        *local
    }
}

async fn check(mut store: impl Store) {
    assert_eq!(store.load(1, "x").await.unwrap(), "2x");
    assert!(store.load(0, "x").await.is_err());
    store.save(2).await;
    assert_eq!(store.generic("a").await, "a");
    assert_eq!(store.provided((1, 2), 3).await, 6);
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    check(Above(1)).await;
    check(Below(1)).await;
    assert_eq!(Box::new(Each).run(3).await, 3);
}
