//! URLs without the secrets in them.

use std::borrow::Cow;

use http::Uri;

use crate::propagation::percent_decode;

/// What the conventions put in the place of a secret.
const REDACTED: &str = "REDACTED";

/// Parameters that the conventions name, besides the words that every key is checked for.
const SIGNATURES: [&str; 4] = ["AWSAccessKeyId", "Signature", "sig", "X-Goog-Signature"];

/// The URL as it may be shown: no user-info, no secret parameters.
pub(super) fn full(uri: &Uri, hides: &mut dyn FnMut(&str) -> bool) -> String {
    let mut full = String::new();
    if let Some(scheme) = uri.scheme_str() {
        full.push_str(scheme);
        full.push_str("://");
    }
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    push(&mut full, authority, uri.path(), uri.query(), hides);
    full
}

/// What comes after the scheme.
fn push(
    shown: &mut String,
    authority: &str,
    path: &str,
    query: Option<&str>,
    hides: &mut dyn FnMut(&str) -> bool,
) {
    shown.push_str(&without_user_info(authority));
    shown.push_str(path);
    if let Some(query) = query {
        shown.push('?');
        shown.push_str(&self::query(query, hides));
    }
}

/// The text with every URL in it as it may be shown.
pub(super) fn in_text(text: &str, hides: &mut dyn FnMut(&str) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(scheme) = rest.find("://") {
        let (before, after) = rest.split_at(scheme + "://".len());
        let is_over = |c: char| c.is_whitespace() || "\"'`<>)".contains(c);
        let (url, after) = after.split_at(after.find(is_over).unwrap_or(after.len()));
        shown.push_str(before);
        let (address, query) = match url.split_once('?') {
            Some((address, query)) => (address, Some(query)),
            None => (url, None),
        };
        let (authority, path) = address.split_at(address.find('/').unwrap_or(address.len()));
        push(&mut shown, authority, path, query, hides);
        rest = after;
    }
    shown.push_str(rest);
    shown
}

fn without_user_info(authority: &str) -> Cow<'_, str> {
    match authority.rsplit_once('@') {
        None => authority.into(),
        Some((user, host)) if user.contains(':') => format!("{REDACTED}:{REDACTED}@{host}").into(),
        Some((_, host)) => format!("{REDACTED}@{host}").into(),
    }
}

/// The query with `REDACTED` in the place of every secret value.
pub(super) fn query<'q>(query: &'q str, hides: &mut dyn FnMut(&str) -> bool) -> Cow<'q, str> {
    let mut is_secret = |parameter: &str| {
        let name = parameter.split_once('=').map(|(name, _)| name);
        name.is_some_and(|name| is_secret(name, hides))
    };
    if !pieces(query).any(|(parameter, _)| is_secret(parameter)) {
        return query.into();
    }
    let mut shown = String::with_capacity(query.len());
    for (parameter, separator) in pieces(query) {
        match parameter.split_once('=') {
            Some((name, _)) if is_secret(parameter) => {
                shown.push_str(name);
                shown.push('=');
                shown.push_str(REDACTED);
            }
            _ => shown.push_str(parameter),
        }
        shown.push_str(separator);
    }
    shown.into()
}

/// The parameters, each with what stands between it and the next one.
fn pieces(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split_inclusive(['&', ';']).map(|piece| {
        let end = piece.trim_end_matches(['&', ';']).len();
        piece.split_at(end)
    })
}

fn is_secret(name: &str, hides: &mut dyn FnMut(&str) -> bool) -> bool {
    let decoded = name.contains('%').then(|| percent_decode(name)).flatten();
    let name = decoded.as_deref().unwrap_or(name);
    let signs = |known: &str| known.eq_ignore_ascii_case(name);
    SIGNATURES.into_iter().any(signs) || hides(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::{Secrecy, secrecy};

    fn hides(name: &str) -> bool {
        secrecy(name) != Secrecy::Open
    }

    #[test]
    fn secret_parameters_are_hidden_and_the_rest_stays_as_it_is() {
        for (raw, shown) in [
            ("", ""),
            ("page=2&q=a%20b", "page=2&q=a%20b"),
            ("sig=abc", "sig=REDACTED"),
            ("color=blue&SIG=abc&x", "color=blue&SIG=REDACTED&x"),
            (
                "AWSAccessKeyId=1&Signature=2",
                "AWSAccessKeyId=REDACTED&Signature=REDACTED",
            ),
            ("X-Goog-Signature=f00&b=", "X-Goog-Signature=REDACTED&b="),
            ("access_token=1;page=2", "access_token=REDACTED;page=2"),
            ("api%5Fkey=1&&design=2", "api%5Fkey=REDACTED&&design=2"),
            ("password", "password"),
        ] {
            assert_eq!(query(raw, &mut hides), shown, "{raw}");
        }
    }

    #[test]
    fn urls_are_found_in_texts() {
        for (raw, shown) in [
            ("no URL, but a ? and token=1", "no URL, but a ? and token=1"),
            (
                "sending request for url (http://u:p@a.b/c?token=1&d=2): refused",
                "sending request for url (http://REDACTED:REDACTED@a.b/c?token=REDACTED&d=2): refused",
            ),
            (
                "from https://a?sig=1 to \"redis://me@[::1]:1\"",
                "from https://a?sig=REDACTED to \"redis://REDACTED@[::1]:1\"",
            ),
        ] {
            assert_eq!(in_text(raw, &mut hides), shown);
        }
    }

    #[test]
    fn user_info_is_hidden() {
        for (raw, shown) in [
            (
                "http://ann:secret@example.com:81/a?b=1",
                "http://REDACTED:REDACTED@example.com:81/a?b=1",
            ),
            ("https://ann@example.com/", "https://REDACTED@example.com/"),
            (
                "https://example.com?token=1",
                "https://example.com/?token=REDACTED",
            ),
            ("/only/a/path?sig=1", "/only/a/path?sig=REDACTED"),
        ] {
            let uri = raw.parse().unwrap();
            assert_eq!(full(&uri, &mut hides), shown, "{raw}");
        }
    }
}
