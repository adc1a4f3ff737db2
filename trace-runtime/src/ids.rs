//! Trace and span ids: random, from a generator per thread.

use opentelemetry::{SpanId, TraceId};

/// xoshiro256++ by Blackman and Vigna: two nanoseconds an id, seeded by the operating system.
#[derive(Debug)]
pub(crate) struct IdGenerator([u64; 4]);

impl IdGenerator {
    /// A generator with a seed of its own.
    pub(crate) fn seeded() -> Self {
        let mut seed = [0_u8; 32];
        if getrandom::fill(&mut seed).is_err() {
            seed = fallback_seed();
        }
        let mut state = [0; 4];
        for (word, bytes) in state.iter_mut().zip(seed.chunks_exact(8)) {
            *word = u64::from_le_bytes(bytes.try_into().unwrap_or_default());
        }
        state[0] |= 1; // never all zero
        Self(state)
    }

    fn next(&mut self) -> u64 {
        let s = &mut self.0;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    pub(crate) fn span_id(&mut self) -> SpanId {
        SpanId::from(self.next().max(1))
    }

    pub(crate) fn trace_id(&mut self) -> TraceId {
        TraceId::from(u128::from(self.next()) << 64 | u128::from(self.next().max(1)))
    }
}

/// Where the operating system gives no randomness, the hasher's keys and the clock still differ.
fn fallback_seed() -> [u8; 32] {
    use std::hash::{BuildHasher, RandomState};
    let now = std::time::SystemTime::now();
    let mut seed = [0; 32];
    for (index, bytes) in seed.chunks_exact_mut(8).enumerate() {
        bytes.copy_from_slice(&RandomState::new().hash_one((index, now)).to_le_bytes());
    }
    seed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_valid_and_differ() {
        let mut ids = IdGenerator::seeded();
        let (a, b) = (ids.trace_id(), ids.trace_id());
        assert!(a != TraceId::INVALID && b != TraceId::INVALID && a != b);
        assert!(ids.span_id() != ids.span_id());
    }
}
