//! The grammars of `JAEGER_*` values: what jaeger-client-go accepts.

use std::time::Duration;

use super::value::{Parsed, bounded};

/// `strconv.ParseBool`.
pub(super) fn boolean(text: &str) -> Parsed<bool> {
    match text.trim() {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err("expected `true`, `false`, `1`, `0`, `t` or `f`".to_owned()),
    }
}

/// A positive integer; none where jaeger-client-go uses its default.
pub(super) fn positive(text: &str) -> Parsed<Option<usize>> {
    let number: i64 = text
        .trim()
        .parse()
        .map_err(|_| "expected an integer".to_owned())?;
    Ok(usize::try_from(number).ok().filter(|number| *number > 0))
}

/// A positive duration; none where jaeger-client-go uses its default.
pub(super) fn positive_duration(text: &str) -> Parsed<Option<Duration>> {
    let nanos = duration(text)?;
    Ok(u64::try_from(nanos)
        .ok()
        .filter(|nanos| *nanos > 0)
        .map(|nanos| bounded(Duration::from_nanos(nanos))))
}

/// `time.ParseDuration` in nanoseconds; a bare integer is milliseconds.
fn duration(text: &str) -> Parsed<i64> {
    let text = text.trim();
    let nanos = match bare_integer(text) {
        Some(millis) => millis.checked_mul(1_000_000),
        None => with_units(text),
    };
    nanos.ok_or_else(|| "expected a duration such as `500ms`, `1s` or `1m30s`".to_owned())
}

/// The number that jaeger-client-go would refuse for its lack of a unit.
pub(super) fn bare_integer(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

/// `[+-]?(number unit)+`
fn with_units(text: &str) -> Option<i64> {
    let (negative, mut rest) = sign(text);
    let mut total = 0_i64;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(number_end);
        let unit_end = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        total = total.checked_add(part(number, unit_nanos(unit)?)?)?;
        rest = tail;
    }
    Some(if negative { -total } else { total })
}

fn sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn unit_nanos(unit: &str) -> Option<i64> {
    Some(match unit {
        "ns" => 1,
        // The micro sign and the Greek letter.
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// One `number unit`, in integers so that `0.1s` is exact.
fn part(number: &str, unit: i64) -> Option<i64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let whole: i64 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let mut nanos = 0_i64;
    let mut scale = unit;
    for digit in fraction.bytes() {
        // Beyond a nanosecond nothing is left to add.
        scale /= 10;
        nanos += scale * i64::from(digit - b'0');
    }
    whole.checked_mul(unit)?.checked_add(nanos)
}

/// `strconv.ParseFloat`, but finite.
pub(super) fn float(text: &str) -> Parsed<f64> {
    let text = text.trim();
    let (negative, digits) = sign(text);
    let hexadecimal = digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"));
    let number = match hexadecimal {
        Some(digits) => hex_float(digits).map(|number| if negative { -number } else { number }),
        None => text.parse().ok(),
    };
    number
        .filter(|number: &f64| number.is_finite())
        .ok_or_else(|| "expected a number".to_owned())
}

/// `h.hp[+-]d`: the exponent is a power of two and must be there.
fn hex_float(digits: &str) -> Option<f64> {
    let (mantissa, exponent) = digits.split_once(['p', 'P'])?;
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut number = 0.0;
    for digit in whole.chars().chain(fraction.chars()) {
        number = number * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let shift = i32::try_from(fraction.len()).ok()?.checked_mul(4)?;
    Some(number * 2_f64.powi(exponent.checked_sub(shift)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_are_those_of_parse_bool() {
        for text in ["1", "t", "T", "TRUE", "true", "True"] {
            assert_eq!(boolean(text), Ok(true));
        }
        for text in ["0", "f", "F", "FALSE", "false", "False"] {
            assert_eq!(boolean(text), Ok(false));
        }
        for text in ["yes", "tRUE", "on", "2"] {
            assert!(boolean(text).is_err(), "{text}");
        }
    }

    #[test]
    fn integers_may_have_a_sign_and_default_when_not_positive() {
        assert_eq!(positive("+5"), Ok(Some(5)));
        assert_eq!(positive("0"), Ok(None));
        assert_eq!(positive("-5"), Ok(None));
        for text in ["0x5", "5.0", "", "9223372036854775808", "1_000"] {
            assert!(positive(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_are_those_of_parse_duration() {
        let second = 1_000_000_000;
        for (text, nanos) in [
            ("1s", second),
            ("+1s", second),
            ("-1s", -second),
            ("1.5s", 1_500_000_000),
            (".5s", 500_000_000),
            ("5.s", 5 * second),
            ("1h2m3s", 3723 * second),
            ("1m1m", 120 * second),
            ("3us", 3_000),
            ("3\u{b5}s", 3_000),
            ("3\u{3bc}s", 3_000),
            ("0.1s", 100_000_000),
            ("1.0000000000001ns", 1),
            ("500", 500_000_000),
            ("-500", -500_000_000),
            ("0", 0),
        ] {
            assert_eq!(duration(text), Ok(nanos), "{text}");
        }
        for text in [
            "",
            "s",
            "1",
            "1x",
            "1.2.3s",
            ".s",
            "1s2",
            "--1s",
            "+",
            "1 s",
            "1s ",
            "1d",
            "9999999999h",
        ] {
            let accepted = ["1", "1s "].contains(&text);
            assert_eq!(duration(text).is_ok(), accepted, "{text:?}");
        }
    }

    #[test]
    fn floats_are_those_of_parse_float() {
        for (text, number) in [
            ("0.5", 0.5),
            ("+1", 1.0),
            ("1e-3", 0.001),
            (".5", 0.5),
            ("5.", 5.0),
            ("0x1p-2", 0.25),
            ("-0X1.8P1", -3.0),
        ] {
            assert_eq!(float(text), Ok(number), "{text}");
        }
        for text in [
            "",
            "NaN",
            "Inf",
            "-infinity",
            "1e999",
            "0x1",
            "0xp1",
            "abc",
            "0x1p9999999999",
        ] {
            assert!(float(text).is_err(), "{text}");
        }
    }
}
