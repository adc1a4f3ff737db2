//! Programs that compile and run with `#[traced]` as they do without.

#[test]
fn programs_run() {
    trybuild::TestCases::new().pass("pass/*.rs");
}
