//! A token bucket in one atomic word.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

/// Gives `rate` tokens a second and saves up to `max(rate, 1)` of them; starts full.
///
/// Instead of a balance it keeps the moment at which the bucket was empty: what has accumulated
/// since is the balance, to the fraction, and taking a token moves that moment on. So there is one
/// word to update and no lock.
#[derive(Debug)]
pub(super) struct TokenBucket {
    rate: f64,
    /// Nanoseconds it takes to earn one token.
    interval: i64,
    /// Nanoseconds it takes to fill the bucket.
    capacity: i64,
    start: Instant,
    /// Nanoseconds since `start`; negative at first.
    empty_at: AtomicI64,
}

/// No bucket takes longer to earn a token; keeps the arithmetic far from overflow.
const LONGEST: f64 = (i64::MAX / 4) as f64;

impl TokenBucket {
    /// A rate that is not positive gives no tokens at all.
    pub(super) fn new(rate: f64) -> Self {
        let nanos = |tokens: f64| (tokens * 1e9 / rate).min(LONGEST) as i64;
        let capacity = nanos(rate.max(1.0));
        TokenBucket {
            rate,
            interval: nanos(1.0),
            capacity,
            start: Instant::now(),
            empty_at: AtomicI64::new(-capacity),
        }
    }

    pub(super) fn rate(&self) -> f64 {
        self.rate
    }

    /// Takes a token if there is one.
    pub(super) fn take(&self) -> bool {
        let now = i64::try_from(self.start.elapsed().as_nanos()).unwrap_or(i64::MAX / 2);
        self.take_at(now)
    }

    fn take_at(&self, now: i64) -> bool {
        if self.rate.is_nan() || self.rate <= 0.0 {
            return false;
        }
        let step = |empty_at: i64| {
            let next = empty_at.max(now - self.capacity) + self.interval;
            (next <= now).then_some(next)
        };
        self.empty_at
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, step)
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::TokenBucket;

    const SECOND: i64 = 1_000_000_000;

    fn taken(bucket: &TokenBucket, now: i64, tries: usize) -> usize {
        (0..tries).filter(|_| bucket.take_at(now)).count()
    }

    #[test]
    fn burst_is_one_second_worth_of_traces() {
        let bucket = TokenBucket::new(5.0);
        assert_eq!(taken(&bucket, 0, 100), 5);
    }

    #[test]
    fn burst_is_at_least_one_trace() {
        let bucket = TokenBucket::new(0.1);
        assert_eq!(taken(&bucket, 0, 100), 1);
        assert_eq!(taken(&bucket, 10 * SECOND - 1, 100), 0);
        assert_eq!(taken(&bucket, 10 * SECOND, 100), 1);
    }

    #[test]
    fn fractions_of_a_token_add_up() {
        let bucket = TokenBucket::new(2.0);
        assert_eq!(taken(&bucket, 0, 100), 2);
        // Asked every 100 ms, 5 times for each token: nothing is lost by asking.
        let total: usize = (1..=100)
            .map(|tenth| taken(&bucket, tenth * SECOND / 10, 1))
            .sum();
        assert_eq!(total, 20);
    }

    #[test]
    fn a_pause_earns_no_more_than_the_burst() {
        let bucket = TokenBucket::new(3.5);
        assert_eq!(taken(&bucket, 0, 100), 3);
        assert_eq!(taken(&bucket, 1000 * SECOND, 100), 3);
    }

    #[test]
    fn no_rate_no_trace() {
        for rate in [0.0, -1.0, f64::NAN, f64::NEG_INFINITY] {
            let bucket = TokenBucket::new(rate);
            assert_eq!(taken(&bucket, 0, 10), 0, "{rate}");
            assert_eq!(taken(&bucket, i64::MAX / 2, 10), 0, "{rate}");
        }
    }

    #[test]
    fn extreme_rates_do_not_overflow() {
        let often = TokenBucket::new(f64::INFINITY);
        assert_eq!(taken(&often, 0, 1000), 1000);
        let seldom = TokenBucket::new(f64::MIN_POSITIVE);
        assert_eq!(taken(&seldom, 0, 10), 1);
        assert_eq!(taken(&seldom, i64::MAX / 8, 10), 0);
    }

    #[test]
    fn a_clock_that_steps_back_gives_nothing_extra() {
        let bucket = TokenBucket::new(1.0);
        assert_eq!(taken(&bucket, 10 * SECOND, 10), 1);
        assert_eq!(taken(&bucket, 0, 10), 0);
        assert_eq!(taken(&bucket, 11 * SECOND, 10), 1);
    }

    #[test]
    fn threads_share_the_tokens() {
        let bucket = TokenBucket::new(1000.0);
        let total: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| taken(&bucket, SECOND, 1000)))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .sum()
        });
        assert_eq!(total, 1000);
    }
}
