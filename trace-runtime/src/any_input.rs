//! What the tests named `any_input` are about: no input makes a parser panic, and what is accepted
//! survives being written and read again. `.ci/run` tries a million of each.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::RngSeed;

/// The same cases in every run; change the seed to look for others. `PROPTEST_CASES` asks for more.
pub(crate) fn config() -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig {
        cases: default.cases.max(500),
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..default
    }
}

/// Bytes that come close to being right more often than chance would have it: pieces of what the
/// grammar is made of, with something else in between now and then.
pub(crate) fn bytes(pieces: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => select(pieces).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => any::<u8>().prop_map(|byte| vec![byte]),
        1 => any::<u16>().prop_map(|number| number.to_string().into_bytes()),
    ];
    prop_oneof![
        7 => prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat()),
        1 => prop::collection::vec(any::<u8>(), 0..24),
    ]
}

/// The same as text; what is not UTF-8 comes as it comes from the environment of a process.
pub(crate) fn text(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    bytes(pieces).prop_map(|bytes| match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}
