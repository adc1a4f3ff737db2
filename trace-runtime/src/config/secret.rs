//! Values that must not be printed, and texts with secrets in them.

use std::fmt;

/// Stands for a secret wherever one would be printed.
pub(crate) const REDACTED: &str = "[redacted]";

/// The longest text of a variable that a diagnostic repeats.
const SHOWN_CHARS: usize = 200;

/// A credential. Neither `Debug` nor the table of settings shows it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(pub(crate) String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

/// An absolute URL, which may hold a user and a password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Url(pub(crate) String);

impl Url {
    /// The whole URL, user-info included: for the transport, never for people.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it asks for TLS.
    pub(crate) fn is_https(&self) -> bool {
        let scheme = self.0.split("://").next().unwrap_or_default();
        scheme.eq_ignore_ascii_case("https")
    }
}

/// Without the user-info.
impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&mask_user_info(&self.0))
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Hides what may be user-info in a text with a URL in it.
///
/// Hides too much rather than too little: a password may hold any character, and the text may be
/// no valid URL at all.
pub(crate) fn mask_user_info(text: &str) -> String {
    let Some(at) = text.rfind('@') else {
        return text.to_owned();
    };
    // A password may hold `://` itself; before the real one there is no user yet.
    let start = match text.find("://") {
        Some(scheme) if !text[..scheme].contains([':', '@']) => scheme + "://".len(),
        _ => 0,
    };
    format!("{}{REDACTED}{}", &text[..start], &text[at..])
}

/// The text of a variable as diagnostics show it: one line, not too long, without secrets.
pub(crate) fn shown(variable: &str, text: &str) -> String {
    if is_secret(variable) {
        return REDACTED.to_owned();
    }
    let line = one_line(&mask_user_info(text));
    match line.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Whether the whole value of a variable is a secret.
fn is_secret(variable: &str) -> bool {
    ["_HEADERS", "_PASSWORD", "_USER", "_CLIENT_KEY", "_TOKEN"]
        .iter()
        .any(|suffix| variable.ends_with(suffix))
}

/// The text without line breaks and what else could garble a terminal.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_info_is_hidden() {
        for (text, expected) in [
            ("http://host:1/p", "http://host:1/p"),
            ("http://u:p@host/p", "http://[redacted]@host/p"),
            ("http://u:p@q/r@host", "http://[redacted]@host"),
            ("u:p@host:4318", "[redacted]@host:4318"),
            (
                "endpoint=http://u@h,x=1",
                "endpoint=http://[redacted]@h,x=1",
            ),
            ("u@h?x=://", "[redacted]@h?x=://"),
            ("u:p://q@h", "[redacted]@h"),
            ("u:p@://@", "[redacted]@"),
        ] {
            assert_eq!(mask_user_info(text), expected);
        }
    }

    #[test]
    fn secret_variables_are_hidden_whole() {
        for variable in [
            "OTEL_EXPORTER_OTLP_HEADERS",
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
            "OTEL_EXPORTER_OTLP_CLIENT_KEY",
            "JAEGER_PASSWORD",
            "JAEGER_USER",
            "JAEGER_AUTH_TOKEN",
        ] {
            assert_eq!(shown(variable, "geheim"), REDACTED, "{variable}");
        }
        assert_eq!(shown("OTEL_EXPORTER_OTLP_CERTIFICATE", "a.pem"), "a.pem");
    }

    #[test]
    fn long_and_multi_line_values_stay_on_one_line() {
        assert_eq!(shown("X", "a\nb\u{1b}"), "a\\nb\\u{1b}");
        assert_eq!(shown("X", &"ä".repeat(500)).chars().count(), 201);
    }

    #[test]
    fn debug_output_hides_secrets() {
        let url = Url("https://u:p@h".to_owned());
        assert_eq!(format!("{url:?}"), "https://[redacted]@h");
        assert_eq!(format!("{:?}", Secret("p".to_owned())), REDACTED);
        assert!(url.is_https());
        assert!(!Url("http://https".to_owned()).is_https());
    }
}
