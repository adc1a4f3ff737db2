//! Text for terminals: durations for people, and how many columns a text takes.

use std::time::Duration;

/// Three digits and a unit: `850 ns`, `1.25 ms`, `42.0 s`, `2 m 05 s`.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds >= 59.95 {
        let whole = seconds.round() as u64;
        return if whole < 3600 {
            format!("{} m {:02} s", whole / 60, whole % 60)
        } else {
            format!("{} h {:02} m", whole / 3600, whole / 60 % 60)
        };
    }
    if duration.as_nanos() < 1000 {
        return format!("{} ns", duration.as_nanos());
    }
    // A unit ends where its value would be rounded to a fourth digit.
    let (value, unit) = match seconds {
        s if s < 999.5e-6 => (s * 1e6, "µs"),
        s if s < 999.5e-3 => (s * 1e3, "ms"),
        s => (s, "s"),
    };
    match value {
        v if v < 9.995 => format!("{v:.2} {unit}"),
        v if v < 99.95 => format!("{v:.1} {unit}"),
        v => format!("{v:.0} {unit}"),
    }
}

/// How many columns the text takes on a terminal, nearly.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

fn char_width(c: char) -> usize {
    match c {
        // Accents, joiners, variation selectors.
        '\u{300}'..='\u{36f}'
        | '\u{1ab0}'..='\u{1aff}'
        | '\u{200b}'..='\u{200d}'
        | '\u{20d0}'..='\u{20ff}'
        | '\u{fe00}'..='\u{fe0f}' => 0,
        // East Asian letters and full-width forms, pictures.
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{303e}'
        | '\u{3041}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1f64f}'
        | '\u{1f680}'..='\u{1f6ff}'
        | '\u{1f900}'..='\u{1f9ff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

/// The text in at most so many columns; a text that is cut ends in `…`.
pub(super) fn clip(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut out: String = head(text, columns.saturating_sub(1)).to_owned();
    if columns > 0 {
        out.push('…');
    }
    out
}

/// As much of the text as fits.
fn head(text: &str, columns: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += char_width(c);
        if used > columns {
            return &text[..at];
        }
    }
    text
}

/// The text in lines of at most so many columns, broken at spaces where there are some; what is
/// beyond the last of `lines` is cut.
pub(super) fn wrap(text: &str, columns: usize, lines: usize) -> Vec<String> {
    let mut out = Vec::new();
    for paragraph in text.lines() {
        let mut rest = paragraph.trim_end();
        loop {
            if out.len() == lines {
                let last: &mut String = &mut out[lines - 1];
                *last = clip(&format!("{last}…"), columns);
                return out;
            }
            let line = first_line(rest, columns);
            out.push(line.trim_end().to_owned());
            rest = rest[line.len()..].trim_start();
            if rest.is_empty() {
                break;
            }
        }
    }
    out
}

fn first_line(text: &str, columns: usize) -> &str {
    let fits = head(text, columns);
    if fits.len() == text.len() {
        return text;
    }
    if text[fits.len()..].starts_with(' ') {
        return fits;
    }
    match fits.rfind(' ') {
        // A break that leaves most of the line empty reads worse than a broken word.
        Some(space) if space > fits.len() / 4 => &text[..=space],
        _ if fits.is_empty() => text
            .char_indices()
            .nth(1)
            .map_or(text, |(end, _)| &text[..end]),
        _ => fits,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_three_digits() {
        for (nanos, text) in [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_000, "1.00 µs"),
            (9_996, "10.0 µs"),
            (999_499, "999 µs"),
            (999_500, "1.00 ms"),
            (12_345_678, "12.3 ms"),
            (999_600_000, "1.00 s"),
            (59_940_000_000, "59.9 s"),
            (59_960_000_000, "1 m 00 s"),
            (125_000_000_000, "2 m 05 s"),
            (3_599_700_000_000, "1 h 00 m"),
            (7_500_000_000_000, "2 h 05 m"),
        ] {
            assert_eq!(duration(Duration::from_nanos(nanos)), text);
        }
    }

    #[test]
    fn columns_are_counted_not_bytes() {
        assert_eq!(width("naïve"), 5);
        assert_eq!(width("e\u{301}"), 1);
        assert_eq!(width("注文"), 4);
    }

    #[test]
    fn clipped_texts_fit() {
        assert_eq!(clip("checkout", 8), "checkout");
        assert_eq!(clip("checkout", 5), "chec…");
        assert_eq!(clip("注文する", 5), "注文…");
        assert_eq!(clip("注文する", 4), "注…");
        assert_eq!(clip("checkout", 0), "");
    }

    #[test]
    fn long_texts_are_wrapped_and_end() {
        assert_eq!(
            wrap("card 42 was declined\nby the bank", 10, 9),
            ["card 42", "was", "declined", "by the", "bank"]
        );
        assert_eq!(wrap("aaaabbbbcc", 4, 9), ["aaaa", "bbbb", "cc"]);
        assert_eq!(wrap("one two three four", 7, 2), ["one two", "three…"]);
        assert_eq!(wrap("注文", 1, 9), ["注", "文"]);
        assert!(wrap("", 4, 9).is_empty() && wrap("\n", 4, 9) == [""]);
    }
}
