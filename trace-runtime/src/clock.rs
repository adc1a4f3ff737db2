//! Ticks for the span path, and their conversion to wall-clock time for the worker.
//!
//! A tick is a raw reading of the processor's time stamp counter where the kernel itself keeps time
//! by it (so it is invariant and the same on every core), and a nanosecond of [`Instant`] elsewhere.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use once_cell::sync::OnceCell;

use crate::tsc;

/// Reads the clock: monotonic, comparable between threads.
#[inline]
pub(crate) fn ticks() -> u64 {
    let base = base();
    if base.tsc {
        tsc::read()
    } else {
        nanos(base.instant.elapsed())
    }
}

/// The first reading of the process, from which the length of a tick is measured.
struct Base {
    tsc: bool,
    ticks: u64,
    instant: Instant,
}

#[inline]
fn base() -> &'static Base {
    static BASE: OnceCell<Base> = OnceCell::new();
    BASE.get_or_init(|| {
        let tsc = tsc::is_reliable();
        let instant = Instant::now();
        Base {
            tsc,
            ticks: if tsc { tsc::read() } else { 0 },
            instant,
        }
    })
}

/// Converts ticks to nanoseconds since the Unix epoch, as seen at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Anchor {
    ticks: u64,
    unix_nanos: u64,
    /// Nanoseconds per tick, times 2⁴⁰.
    scale: u64,
}

impl Anchor {
    /// Takes a new reading; conversion is exact to the time between two clock reads.
    pub(crate) fn now() -> Self {
        let base = base();
        if !base.tsc {
            let ticks = ticks();
            return Self {
                ticks,
                unix_nanos: unix_nanos(SystemTime::now()),
                scale: 1 << 40,
            };
        }
        // The closest of a few pairs: the thread may be interrupted between two reads.
        let (before, wall, after) = (0..4)
            .map(|_| (tsc::read(), SystemTime::now(), tsc::read()))
            .min_by_key(|(before, _, after)| after.saturating_sub(*before))
            .expect("four readings");
        let elapsed = nanos(base.instant.elapsed());
        let elapsed_ticks = tsc::read().saturating_sub(base.ticks).max(1);
        Self {
            ticks: before + after.saturating_sub(before) / 2,
            unix_nanos: unix_nanos(wall),
            scale: (elapsed as f64 / elapsed_ticks as f64 * (1_u64 << 40) as f64) as u64,
        }
    }

    /// Nanoseconds since the Unix epoch at that tick.
    #[inline]
    pub(crate) fn unix_nanos(&self, ticks: u64) -> u64 {
        let distance = u128::from(ticks.abs_diff(self.ticks)) * u128::from(self.scale);
        let distance = (distance >> 40) as u64;
        if ticks <= self.ticks {
            self.unix_nanos.saturating_sub(distance)
        } else {
            self.unix_nanos.saturating_add(distance)
        }
    }
}

/// Nanoseconds since the Unix epoch; a time before it counts as the epoch.
pub(crate) fn unix_nanos(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, nanos)
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_converts_to_the_wall_clock_it_was_taken_at() {
        ticks();
        std::thread::sleep(Duration::from_millis(20)); // a measured length of the tick, not a wait
        let before = unix_nanos(SystemTime::now());
        let tick = ticks();
        let after = unix_nanos(SystemTime::now());
        let seen = Anchor::now().unix_nanos(tick);
        let slack = 1_000_000;
        assert!(
            before - slack <= seen && seen <= after + slack,
            "{before} {seen} {after}"
        );
    }

    #[test]
    fn ticks_do_not_run_backwards() {
        let (first, second) = (ticks(), ticks());
        assert!(first <= second);
    }
}
