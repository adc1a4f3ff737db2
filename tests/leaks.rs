//! A program that is told secrets on standard input and traces what it does with them.
//!
//! Each line has two words, a public one and a secret one.

use std::io::BufRead as _;

use trace_runtime::{event, record, span, traced};

struct Json<T>(T);

struct Login {
    user: String,
    token: String,
}

/// The first of these is public, everything else goes by a name that says that it is not.
#[traced(
    redact(note),
    fields(
        api_key = password,
        "http.request.header.authorization" = %password,
        user.credentials = ?password,
        { COOKIE } = password,
    ),
    ret(shown = ret.0.as_str(), session_id = ret.1.as_str()),
)]
fn log_in(
    user: &str,
    count: u32,
    password: &str,
    emails: &[String],
    note: String,
    (pin, otp): (&str, Option<&str>),
    Json(jwt): Json<&str>,
    #[traced(redact)] address: &str,
    uri: http::Uri,
) -> (String, String) {
    let _ = (count, emails, note, pin, otp, jwt, address, uri);
    record!(record = user, access_key = password, home_address = %password, ?jwt);
    event!("event", event = user, cookie = password, email = password);
    span!("span", inside = user, dsn = password, work_email = password => ());
    (user.to_owned(), password.to_owned())
}

const COOKIE: &str = "set-cookie";

#[traced(err(known = err.user.as_str(), refresh_token = err.token.as_str()))]
async fn refused(user: &str, bearer: &str) -> Result<(), Login> {
    Err(Login {
        user: user.to_owned(),
        token: bearer.to_owned(),
    })
}

fn main() {
    let guard = trace_runtime::init_tracer();
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("text");
        let (public, secret) = line.split_once(' ').expect("two words");
        let uri = format!("http://{secret}:{secret}@{public}.example/");
        let emails = [secret.to_owned()];
        log_in(
            public,
            1,
            secret,
            &emails,
            secret.to_owned(),
            (secret, Some(secret)),
            Json(secret),
            secret,
            uri.parse().expect("a URI"),
        );
        let mut refused = std::pin::pin!(refused(public, secret));
        let mut task = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(refused.as_mut().poll(&mut task).is_ready());
    }
    let delivered = guard.shutdown(std::time::Duration::from_secs(5));
    delivered.expect("everybody takes it");
}
