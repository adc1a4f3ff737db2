//! The smallest traced program.
//!
//! ```text
//! cargo run -p examples --bin hello
//! ```

use trace_runtime::{init_tracer, traced};

#[traced]
fn greet(name: &str) -> String {
    format!("hello, {name}")
}

fn main() {
    let _guard = init_tracer();
    println!("{}", greet("world"));
}
