//! The URL that batches are posted to, and the headers that go with them.

use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use http::uri::{Authority, Uri};

/// How we introduce ourselves.
pub(crate) const AGENT: &str = concat!("trace-runtime/", env!("CARGO_PKG_VERSION"));

/// Where batches go.
#[derive(Debug)]
pub(crate) struct Endpoint {
    /// Without user-info.
    pub(crate) uri: Uri,
    /// Those of every request; what may hold a credential is marked as sensitive.
    pub(crate) headers: HeaderMap,
}

impl Endpoint {
    /// # Errors
    ///
    /// What is wrong with the URL or the headers, without any credential.
    pub(crate) fn new(
        url: &str,
        headers: &[(String, String)],
        content_type: &'static str,
    ) -> Result<Self, String> {
        let (uri, user_info) = split(url)?;
        let mut map = HeaderMap::new();
        map.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        if let Some(user_info) = user_info {
            map.insert(AUTHORIZATION, basic(&user_info));
        }
        for (name, value) in headers {
            let (name, value) = header(name, value)?;
            map.insert(name, value);
        }
        map.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        Ok(Self { uri, headers: map })
    }

    /// With the header that says so, if bodies are compressed.
    #[cfg(all(feature = "gzip", feature = "otlp-http"))]
    pub(crate) fn compressed(mut self, gzip: bool) -> Self {
        let encoding = http::header::CONTENT_ENCODING;
        if gzip {
            let gzip = HeaderValue::from_static("gzip");
            self.headers.insert(encoding, gzip);
        }
        self
    }

    /// The URL without user-info and query, where credentials may stand.
    pub(crate) fn target(&self) -> String {
        let url = self.uri.to_string();
        match url.split_once('?') {
            Some((url, _)) => url.to_owned(),
            None => url,
        }
    }
}

/// The URL without its user-info, and the user-info.
fn split(url: &str) -> Result<(Uri, Option<String>), String> {
    let uri: Uri = url
        .parse()
        .map_err(|error| format!("`{}` is not a URL: {error}", without_user_info(url)))?;
    let shown = || without_user_info(url);
    match uri.scheme_str() {
        Some("http") => {}
        Some("https") if cfg!(feature = "tls") => {}
        Some("https") => return Err(format!("`{}` needs TLS, which is not built in", shown())),
        _ => return Err(format!("`{}` does not begin with `http://`", shown())),
    }
    let mut parts = uri.into_parts();
    let authority = parts.authority.take();
    let (user_info, host) = match &authority {
        Some(authority) => match authority.as_str().rsplit_once('@') {
            Some((user_info, host)) => (Some(user_info.to_owned()), host),
            None => (None, authority.as_str()),
        },
        None => (None, ""),
    };
    let host: Authority = host
        .parse()
        .map_err(|error| format!("`{}` has no valid host: {error}", shown()))?;
    if host.host().is_empty() {
        return Err(format!("`{}` names no host", shown()));
    }
    parts.authority = Some(host);
    let uri = Uri::from_parts(parts).map_err(|error| format!("`{}`: {error}", shown()))?;
    Ok((uri, user_info))
}

/// For messages about URLs that may not even parse.
fn without_user_info(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        // Without a scheme, the user may be taken for one.
        return url
            .rsplit_once('@')
            .map_or(url, |(_, host)| host)
            .to_owned();
    };
    let host_and_path = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    format!("{scheme}://{host_and_path}")
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let known = HeaderName::try_from(name)
        .map_err(|_| format!("`{}` is not a header name", name.escape_debug()))?;
    let mut value = HeaderValue::try_from(value)
        .map_err(|_| format!("the value of header `{known}` holds control characters"))?;
    value.set_sensitive(true);
    Ok((known, value))
}

/// Basic authentication with the user-info of a URL, which is percent-encoded.
fn basic(user_info: &str) -> HeaderValue {
    let mut credentials = percent_decoded(user_info);
    if !credentials.contains(&b':') {
        credentials.push(b':');
    }
    let encoded = format!("Basic {}", base64(&credentials));
    // The alphabet of base64 is valid in headers, so the default never stands in.
    let mut value = HeaderValue::try_from(encoded).unwrap_or(HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = match bytes.get(at..at + 3) {
            Some([b'%', high, low]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        let (decoded, len) = escaped.map_or((byte, 1), |(high, low)| (high << 4 | low, 3));
        out.push(decoded);
        at += len;
    }
    out
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|digit| digit as u8)
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        for index in 0..4 {
            let digit = (group >> (18 - 6 * index)) & 63;
            let filled = index <= chunk.len();
            out.push(if filled {
                char::from(ALPHABET[digit as usize])
            } else {
                '='
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str, headers: &[(&str, &str)]) -> Result<Endpoint, String> {
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Endpoint::new(url, &headers, "application/x-protobuf")
    }

    #[test]
    fn user_info_becomes_a_header_and_is_never_shown() {
        let endpoint = endpoint("http://us%65r:p%40ss@host:4318/v1/traces?key=k", &[]).unwrap();
        assert_eq!(endpoint.uri, "http://host:4318/v1/traces?key=k");
        assert_eq!(endpoint.target(), "http://host:4318/v1/traces");
        assert_eq!(endpoint.headers[AUTHORIZATION], "Basic dXNlcjpwQHNz");
        assert!(!format!("{endpoint:?}").contains("dXNlcjpwQHNz"));
    }

    #[test]
    fn a_header_wins_over_user_info_but_not_over_the_content_type() {
        let given = [
            ("authorization", "Bearer t"),
            ("Content-Type", "text/plain"),
            ("x-tenant", "a"),
        ];
        let endpoint = endpoint("http://user:pass@host/v1/traces", &given).unwrap();
        assert_eq!(endpoint.headers[AUTHORIZATION], "Bearer t");
        assert_eq!(endpoint.headers[CONTENT_TYPE], "application/x-protobuf");
        assert_eq!(endpoint.headers["x-tenant"], "a");
        assert_eq!(endpoint.headers[USER_AGENT], AGENT);
    }

    #[test]
    fn bad_settings_are_named_without_their_secrets() {
        for (url, headers, part) in [
            (
                "http://user:secret@ho st/",
                &[][..],
                "`http://ho st/` is not a URL",
            ),
            ("collector:4318", &[], "does not begin with `http://`"),
            (
                "ftp://user:secret@host/",
                &[],
                "`ftp://host/` does not begin with `http://`",
            ),
            #[cfg(not(feature = "tls"))]
            (
                "https://user:secret@host/",
                &[],
                "`https://host/` needs TLS",
            ),
            ("http://user:secret@/v1/traces", &[], "`http:///v1/traces`"),
            (
                "http://host/",
                &[("x y", "secret")],
                "`x y` is not a header name",
            ),
            (
                "http://host/",
                &[("x-key", "secret\n")],
                "header `x-key` holds control characters",
            ),
        ] {
            let error = endpoint(url, headers).unwrap_err();
            assert!(error.contains(part), "{url}: {error}");
            assert!(!error.contains("secret"), "{url}: {error}");
        }
    }

    #[test]
    fn base64_pads() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    mod any_input {
        use proptest::prelude::*;

        use super::*;
        use crate::any_input;

        const PIECES: &[&str] = &[
            "http://", "https://", "://", "user", "@", ":", "4318", "/", "?", "#", "%41", "%", "[",
            "::1", "]", "host", ".", "x-name", "é",
        ];

        proptest! {
            #![proptest_config(any_input::config())]

            #[test]
            fn any_endpoint(
                url in any_input::text(PIECES),
                name in any_input::text(PIECES),
                value in any_input::text(PIECES),
            ) {
                let headers = [(name, value)];
                for headers in [&headers[..], &[]] {
                    let Ok(endpoint) = Endpoint::new(&url, headers, "a/b") else { continue };
                    let target = endpoint.target();
                    let authority = endpoint.uri.authority().map_or("", |authority| authority.as_str());
                    prop_assert!(!authority.contains('@') && !target.contains('?'), "{}", target);
                    let again = Endpoint::new(&target, headers, "a/b");
                    prop_assert_eq!(again.map(|again| again.target()), Ok(target));
                }
            }

            #[test]
            fn any_message_hides_the_user(mark in "[a-z]{8}", url in any_input::text(PIECES)) {
                let url = format!("http://{mark}:{mark}@{url}");
                if let Err(message) = Endpoint::new(&url, &[], "a/b") {
                    prop_assert!(!message.contains(&mark), "{}", message);
                }
            }
        }
    }
}
