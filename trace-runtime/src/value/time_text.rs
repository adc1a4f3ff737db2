//! Points in time as RFC 3339 text.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

const DAY: i64 = 86_400;

pub(super) fn system_time(time: SystemTime) -> String {
    let (seconds, nanos) = match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => (whole_seconds(after), after.subsec_nanos()),
        Err(before) => before_epoch(before.duration()),
    };
    utc(seconds, nanos)
}

fn before_epoch(before: Duration) -> (i64, u32) {
    match before.subsec_nanos() {
        0 => (-whole_seconds(before), 0),
        nanos => (-whole_seconds(before) - 1, 1_000_000_000 - nanos),
    }
}

fn whole_seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

/// Seconds since the Unix epoch, and nanoseconds: the fraction has as few digits as say it all.
pub(super) fn utc(seconds: i64, nanos: u32) -> String {
    let (year, month, day) = date(seconds.div_euclid(DAY));
    let second = seconds.rem_euclid(DAY);
    let mut text = format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}",
        second / 3600,
        second / 60 % 60,
        second % 60
    );
    if nanos > 0 {
        let digits = format!("{nanos:09}");
        // Writing to a `String` cannot fail.
        let _ = write!(text, ".{}", digits.trim_end_matches('0'));
    }
    text.push('Z');
    text
}

/// Year, month and day of a day counted from the Unix epoch, in the Gregorian calendar.
///
/// Years are counted from March, so that the leap day is the last of its year.
fn date(day: i64) -> (i64, i64, i64) {
    const DAYS_OF_400_YEARS: i64 = 146_097;
    // From 0000-03-01 to 1970-01-01.
    let day = day + 719_468;
    let era = day.div_euclid(DAYS_OF_400_YEARS);
    let day_of_era = day.rem_euclid(DAYS_OF_400_YEARS);
    // Take away the leap days that came before, then years are even.
    let leap_days = day_of_era / 1_460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leap_days) / 365;
    let first_day = 365 * year_of_era + year_of_era / 4 - year_of_era / 100;
    let day_of_year = day_of_era - first_day;
    // From March on, five months always have 153 days.
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = 400 * era + year_of_era + i64::from(month <= 2);
    (year, month, day_of_month)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_times() {
        let cases = [
            (0, 0, "1970-01-01T00:00:00Z"),
            (951_782_400, 0, "2000-02-29T00:00:00Z"),
            (951_868_800, 1, "2000-03-01T00:00:00.000000001Z"),
            (1_709_210_096, 500_000_000, "2024-02-29T12:34:56.5Z"),
            (4_107_542_399, 0, "2100-02-28T23:59:59Z"),
            (4_107_542_400, 0, "2100-03-01T00:00:00Z"),
            (-1, 0, "1969-12-31T23:59:59Z"),
            (-2_208_988_800, 0, "1900-01-01T00:00:00Z"),
        ];
        for (seconds, nanos, expected) in cases {
            assert_eq!(utc(seconds, nanos), expected);
        }
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let mut previous = date(-800_000);
        for day in -799_999..800_000 {
            let next = date(day);
            let new_month = next.2 == 1 && previous.2 >= 28;
            let same_month = next.2 == previous.2 + 1 && next.1 == previous.1;
            assert!(new_month || same_month, "{previous:?} {next:?}");
            previous = next;
        }
    }

    #[test]
    fn fractions_before_the_epoch() {
        let time = SystemTime::UNIX_EPOCH - Duration::from_millis(250);
        assert_eq!(system_time(time), "1969-12-31T23:59:59.75Z");
    }
}
