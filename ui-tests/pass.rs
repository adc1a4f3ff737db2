//! Programs that compile and run with `#[traced]` as they do without, in every edition.

use std::path::Path;

#[test]
fn programs_run() {
    // The packages for older editions are one folder further down.
    let is_here = Path::new("pass").is_dir();
    let programs = if is_here { "pass/*.rs" } else { "../pass/*.rs" };
    trybuild::TestCases::new().pass(programs);
}
