//! The smallest traced program.
//!
//! ```text
//! $ cargo run -p examples --bin hello
//! hello, world
//!
//! $ OTEL_TRACES_EXPORTER=console OTEL_SERVICE_NAME=hello cargo run -p examples --bin hello
//! hello, world
//! ✓ ok     11.6 µs  hello  greet  1 span  a9ad5a7f97321ad099c1a1a63440f8f0
//! ```
//!
//! Without a word from the environment the span goes to a collector on this machine,
//! `http://localhost:4318`. If there is none, a warning on standard error says so, and the program
//! ends as it would have.

use trace_runtime::{init_tracer, traced};

#[traced]
fn greet(name: &str) -> String {
    format!("hello, {name}")
}

fn main() {
    let _guard = init_tracer();
    println!("{}", greet("world"));
}
