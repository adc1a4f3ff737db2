//! User names and passwords in URLs.

use std::borrow::Cow;

/// The URL or authority without user name and password, in the form that OpenTelemetry gives it.
pub(super) fn hidden(url: Cow<'_, str>) -> Cow<'_, str> {
    if !url.contains('@') {
        return url;
    }
    let start = url.find("://").map_or(0, |scheme| scheme + 3);
    let authority = url[start..].split(['/', '?', '#']).next().unwrap_or("");
    match authority.rfind('@') {
        None => url,
        Some(at) => format!("{}REDACTED:REDACTED{}", &url[..start], &url[start + at..]).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_before_the_host_is_hidden() {
        for (url, expected) in [
            ("http://host/a@b", "http://host/a@b"),
            ("http://host?q=a@b", "http://host?q=a@b"),
            ("/path/a@b", "/path/a@b"),
            ("http://u@host:1/x", "http://REDACTED:REDACTED@host:1/x"),
            ("u:p@host:443", "REDACTED:REDACTED@host:443"),
            ("http://u:p@w@host/", "http://REDACTED:REDACTED@host/"),
        ] {
            assert_eq!(hidden(url.into()), expected);
        }
    }
}
