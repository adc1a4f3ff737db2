//! Frameworks whose own attributes and traits `#[traced]` has to get along with; see the tests.
