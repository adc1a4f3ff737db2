#![deny(warnings)]

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use trace_runtime::traced;

/// Neither `Debug` nor `Clone`.
struct Account {
    id: u64,
    notes: Vec<String>,
}

impl Account {
    #[traced]
    fn new(id: u64) -> Self {
        Self {
            id,
            notes: Vec::new(),
        }
    }

    #[traced(fields(self.id))]
    fn by_ref(&self) -> &[String] {
        &self.notes
    }

    #[traced(skip(self))]
    fn by_mut(&mut self, note: &str) -> &mut String {
        self.notes.push(note.to_owned());
        self.notes.last_mut().unwrap()
    }

    #[traced]
    fn by_value(self) -> Vec<String> {
        self.notes
    }

    #[traced]
    fn by_mut_value(mut self) -> u64 {
        self.id += 1;
        self.id
    }

    #[traced(fields(id = self.id))]
    fn boxed(self: Box<Self>) -> u64 {
        self.id
    }

    #[traced]
    fn arc(self: Arc<Self>) -> u64 {
        self.id
    }

    #[traced]
    fn borrowed_rc(self: &Rc<Self>) -> Rc<Self> {
        Rc::clone(self)
    }

    #[traced]
    fn pinned(mut self: Pin<&mut Self>) -> u64 {
        self.id += 1;
        self.id
    }

    #[traced(fields(self.id))]
    async fn async_by_ref(&self, n: u64) -> Result<&str, String> {
        if n == 0 {
            return Err("zero".to_owned());
        }
        self.notes
            .first()
            .map(String::as_str)
            .ok_or("none".to_owned())
    }

    #[traced]
    async fn async_by_mut(&mut self) -> &mut u64 {
        self.id += 1;
        &mut self.id
    }

    #[traced]
    async fn async_by_value(mut self) -> Self {
        self.id += 1;
        self
    }

    #[traced]
    async fn async_arc(self: Arc<Self>) -> u64 {
        self.id
    }
}

fn main() {
    let mut account = Account::new(1);
    account.by_mut("a").push('b');
    assert_eq!(account.by_ref(), ["ab"]);
    drop(account.async_by_ref(1));
    drop(account.async_by_mut());
    assert_eq!(account.by_value(), ["ab"]);
    assert_eq!(Account::new(1).by_mut_value(), 2);
    assert_eq!(Box::new(Account::new(1)).boxed(), 1);
    assert_eq!(Arc::new(Account::new(1)).arc(), 1);
    assert_eq!(Rc::new(Account::new(1)).borrowed_rc().id, 1);
    assert_eq!(Box::pin(Account::new(1)).as_mut().pinned(), 2);
    drop(Account::new(1).async_by_value());
    drop(Arc::new(Account::new(1)).async_arc());
}
