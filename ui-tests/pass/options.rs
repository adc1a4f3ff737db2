//! Every option, in every form it has.

#![deny(warnings)]

use std::borrow::Cow;
use std::fmt;
use trace_runtime::traced;

const NAME: &str = "constant";
const KEY: &str = "constant.key";

#[derive(Debug)]
struct Failed {
    peer: String,
    attempt: u32,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed", self.peer)
    }
}

impl std::error::Error for Failed {}

impl Failed {
    fn code(&self) -> &'static str {
        "E1"
    }
}

#[derive(Debug)]
struct User {
    id: u64,
    address: (u8, (u8, u8)),
}

#[traced("literal")]
fn literal() {}

#[traced(name = NAME)]
fn constant() {}

#[traced(name = format!("load {id}"))]
fn dynamic(id: u64) -> u64 {
    id
}

#[traced(name = names.remove(0))]
fn changed_by_its_name(names: &mut Vec<String>) -> usize {
    names.len()
}

#[traced(name = Cow::Borrowed("cow"), level = trace, root)]
fn cow() {}

#[traced("/users/{id}", kind = internal)]
fn internal(id: u64) -> u64 {
    id
}

#[traced(kind = server, level = error)]
fn server() {}

#[traced(kind = client, level = warn)]
fn client() {}

#[traced(kind = producer, level = "debug")]
fn producer() {}

#[traced(kind = consumer, level = Level::INFO, fields(), skip())]
fn consumer() {}

#[traced(only(password), redact(card), fields(
    user.id,
    ?user,
    user.address.1.0,
    "string.key" = %user.id,
    { KEY } = user.id + 1,
    nested.key = ?user.address,
    r#type = "x",
))]
fn fields(user: &User, password: &str, card: &str) -> usize {
    password.len() + card.len() + user.address.0 as usize
}

#[traced]
fn parameters(
    #[traced(skip)] a: u8,
    #[traced(redact)] b: u8,
    #[traced("user.id")] c: u8,
    #[traced("user.card", redact)] d: u8,
    #[traced("hidden")] _e: u8,
) -> u8 {
    a + b + c + d
}

#[traced(ret, err)]
fn whole(id: u64) -> Result<u64, Failed> {
    Ok(id)
}

#[traced(ret(Debug), err(Debug))]
fn whole_debug(id: u64) -> Result<User, Failed> {
    Ok(User {
        id,
        address: (0, (0, 0)),
    })
}

#[traced(ret, err(Display))]
async fn whole_display(id: u64) -> Result<User, Failed> {
    Ok(User {
        id,
        address: (0, (0, 0)),
    })
}

#[traced(ret(Display))]
fn displayed(id: u64) -> u64 {
    id
}

#[traced(ret)]
fn unit() {}

#[traced(
    ret(user.id = ret.id, shared = 1, ret.address.0),
    err(peer = %err.peer, retry = err.attempt, shared = 2, ?err),
    err_type = err.code()
)]
fn both(id: u64) -> Result<User, Failed> {
    if id == 0 {
        return Err(Failed {
            peer: "a".to_owned(),
            attempt: 1,
        });
    }
    Ok(User {
        id,
        address: (0, (0, 0)),
    })
}

#[traced(err = off)]
fn quiet() -> Result<(), Failed> {
    Ok(())
}

#[traced(err_if = Option::is_none)]
fn find(id: u64) -> Option<u64> {
    Some(id)
}

#[traced(err_if = |found: &Vec<u8>| found.is_empty(), ret(len = ret.len()))]
async fn search(id: u8) -> Vec<u8> {
    vec![id]
}

mod tracing_forms {
    use trace_runtime::traced as instrument;

    pub(super) struct Db;

    impl Db {
        #[instrument(skip(self, other), fields(id = %id, user.name = "x"), err, ret, level = "info", name = "tracing")]
        pub(super) async fn load(&self, id: u64, other: &str) -> Result<usize, String> {
            Ok(other.len())
        }

        #[instrument(skip_all, err(Debug), ret(Display))]
        pub(super) fn save(&self) -> Result<u8, String> {
            Ok(1)
        }
    }
}

fn main() {
    literal();
    constant();
    assert_eq!(dynamic(1), 1);
    let names = &mut vec!["name".to_owned()];
    assert!(changed_by_its_name(names) <= 1);
    cow();
    assert_eq!(internal(1), 1);
    server();
    client();
    producer();
    consumer();
    assert_eq!(
        fields(
            &User {
                id: 1,
                address: (1, (2, 3))
            },
            "a",
            "b"
        ),
        3
    );
    assert_eq!(parameters(1, 2, 3, 4, 5), 10);
    assert_eq!(whole(1).unwrap(), 1);
    assert_eq!(whole_debug(1).unwrap().id, 1);
    drop(whole_display(1));
    assert_eq!(displayed(1), 1);
    unit();
    assert!(both(0).is_err());
    assert!(both(1).is_ok());
    assert!(quiet().is_ok());
    assert_eq!(find(1), Some(1));
    drop(search(1));
    drop(tracing_forms::Db.load(1, "a"));
    assert_eq!(tracing_forms::Db.save(), Ok(1));
}
