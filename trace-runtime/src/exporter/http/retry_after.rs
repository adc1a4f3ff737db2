//! The `Retry-After` header: seconds, or a date.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Nobody waits longer, whatever the receiver asks for.
const LONGEST: Duration = Duration::from_secs(3600);

/// How long to wait from `now` on; `None` for what is neither seconds nor a date.
pub(super) fn parse(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    let after = if value.bytes().all(|b| b.is_ascii_digit()) && !value.is_empty() {
        // Only digits that are too many for a number of seconds fail to parse.
        Duration::from_secs(value.parse().unwrap_or(u64::MAX))
    } else {
        let time = UNIX_EPOCH + Duration::from_secs(http_date(value)?);
        time.duration_since(now).unwrap_or_default()
    };
    Some(after.min(LONGEST))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` in seconds since the Unix epoch.
pub(crate) fn http_date(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (_, date) = text.split_once(", ")?;
    let parts: Vec<&str> = date.split(' ').collect();
    let &[day, month, year, time, "GMT"] = parts.as_slice() else {
        return None;
    };
    let month = MONTHS.iter().position(|name| *name == month)? as u64 + 1;
    let days = days_since_epoch(number(year, 4)?, month, number(day, 2)?)?;
    let clock: Vec<&str> = time.split(':').collect();
    let &[hour, minute, second] = clock.as_slice() else {
        return None;
    };
    let (hour, minute, second) = (number(hour, 2)?, number(minute, 2)?, number(second, 2)?);
    // A leap second is the 61st.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

fn number(text: &str, digits: usize) -> Option<u64> {
    let right = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
    right.then(|| text.parse().ok())?
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
fn days_since_epoch(year: u64, month: u64, day: u64) -> Option<u64> {
    if year < 1970 || !(1..=31).contains(&day) {
        return None;
    }
    // Years that begin in March end with the leap day.
    let years = if month > 2 { year } else { year - 1 };
    let months = (month + 9) % 12;
    let days = years * 365 + years / 4 - years / 100 + years / 400 + (months * 153 + 2) / 5 + day;
    const EPOCH: u64 = 719_469;
    days.checked_sub(EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn dates_are_seconds_since_the_epoch() {
        for (text, seconds) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Tue, 29 Feb 2000 23:59:59 GMT", 951_868_799),
            ("Wed, 01 Mar 2000 00:00:00 GMT", 951_868_800),
            ("Thu, 31 Dec 2026 12:00:00 GMT", 1_798_718_400),
        ] {
            assert_eq!(http_date(text), Some(seconds), "{text}");
        }
    }

    #[test]
    fn seconds_and_dates_become_a_pause() {
        let now = at(784_111_777);
        assert_eq!(parse("0", now), Some(Duration::ZERO));
        assert_eq!(parse(" 120 ", now), Some(Duration::from_secs(120)));
        let date = "Sun, 06 Nov 1994 08:50:07 GMT";
        assert_eq!(parse(date, now), Some(Duration::from_secs(30)));
        assert_eq!(parse(date, at(800_000_000)), Some(Duration::ZERO));
    }

    #[test]
    fn a_pause_has_a_limit() {
        let now = at(0);
        for long in [
            "86400",
            "99999999999999999999",
            "Sun, 06 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(parse(long, now), Some(LONGEST), "{long}");
        }
    }

    #[test]
    fn anything_else_is_no_pause() {
        for text in [
            "",
            "soon",
            "-1",
            "1.5",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 25:49:37 GMT",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Foo 1994 08:49:37 GMT",
        ] {
            assert_eq!(parse(text, at(0)), None, "{text}");
        }
    }

    mod any_input {
        use proptest::prelude::*;

        use super::*;
        use crate::any_input;

        const PIECES: &[&str] = &[
            "Sun", ", ", "06", " ", "Nov", "Feb", "1994", "9999", "08", ":", "49", "37", "60",
            "GMT", "0", "-", "31",
        ];
        const MONTHS: [&str; 12] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];

        /// From RFC 3339, which somebody else writes.
        fn imf(seconds: u64) -> String {
            use crate::ToValue;
            let text = match at(seconds).to_value() {
                crate::Value::Str(text) => text.into_owned(),
                other => panic!("{other:?}"),
            };
            let month: usize = text[5..7].parse().unwrap();
            let (year, day, time) = (&text[..4], &text[8..10], &text[11..19]);
            format!("Sun, {day} {} {year} {time} GMT", MONTHS[month - 1])
        }

        proptest! {
            #![proptest_config(any_input::config())]

            #[test]
            fn any_pause(text in any_input::text(PIECES), now in 0..4_000_000_000_u64) {
                let pause = parse(&text, at(now));
                prop_assert!(pause.is_none_or(|pause| pause <= LONGEST));
                if let Some(seconds) = http_date(&text) {
                    prop_assert_eq!(http_date(&imf(seconds)), Some(seconds));
                }
            }

            #[test]
            fn any_date(seconds in 0..253_402_300_800_u64) {
                prop_assert_eq!(http_date(&imf(seconds)), Some(seconds));
            }
        }
    }
}
