//! `cargo bench -p benches`: see the documentation of the library.

use std::process::ExitCode;

use benches::allocator::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    benches::run(&arguments)
}
