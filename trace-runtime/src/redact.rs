//! Which keys name a secret.
//!
//! A key is read as words: `X-Api-Key`, `apiKey` and `user.api_keys` all hold `api`, `key`. An entry
//! of the list matches words that stand next to each other, so `tokenizer` is no `token`.

/// How secret the values under a key are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Secrecy {
    /// Not secret.
    Open,
    /// Whatever the value is, it is hidden.
    Secret,
    /// Hidden when the value is a text.
    SecretText,
}

const SECRET: &[&str] = &[
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "api_key",
    "apikey",
    "access_key",
    "private_key",
    "authorization",
    "bearer",
    "credential",
    "jwt",
    "session",
    "otp",
    "pin",
    "cvv",
    "cvc",
    "ssn",
    "iban",
    "card_number",
    "signature",
    "dsn",
];

/// Words that also name harmless numbers: how many tokens, which cookie.
const SECRET_TEXT: &[&str] = &["token", "secret", "cookie"];

/// The secrecy of a key, by its snake_case words.
pub(crate) fn secrecy(key: &str) -> Secrecy {
    let holds = |list: &[&str]| list.iter().any(|entry| contains(key, entry));
    if holds(SECRET) {
        Secrecy::Secret
    } else if holds(SECRET_TEXT) {
        Secrecy::SecretText
    } else {
        Secrecy::Open
    }
}

/// More words that name a secret: those of `TRACED_REDACT`.
#[derive(Clone, Debug, Default)]
pub(crate) struct ExtraWords(Vec<String>);

impl ExtraWords {
    pub(crate) fn new<I>(entries: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let mut entries: Vec<String> = entries.into_iter().map(Into::into).collect();
        // An entry without a word would match everything.
        entries.retain(|entry| words(entry).next().is_some());
        Self(entries)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of these words is in the key.
    pub(crate) fn hides(&self, key: &str) -> bool {
        self.0.iter().any(|entry| contains(key, entry))
    }
}

/// Whether the words of the entry stand next to each other among the words of the key.
fn contains(key: &str, entry: &str) -> bool {
    let mut rest = words(key);
    loop {
        if starts_with(rest.clone(), words(entry)) {
            return true;
        }
        if rest.next().is_none() {
            return false;
        }
    }
}

fn starts_with<'a>(
    mut words: impl Iterator<Item = &'a str>,
    mut entry: impl Iterator<Item = &'a str>,
) -> bool {
    entry.all(|expected| words.next().is_some_and(|word| is(word, expected)))
}

/// Whether it is the word or its plural.
fn is(word: &str, expected: &str) -> bool {
    match word.split_at_checked(expected.len()) {
        Some((start, "" | "s" | "S")) => start.eq_ignore_ascii_case(expected),
        _ => false,
    }
}

/// The words of a key: they end at anything that is no letter, and where camelCase begins a new one.
fn words(key: &str) -> Words<'_> {
    Words(key)
}

#[derive(Clone)]
struct Words<'a>(&'a str);

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let text = self.0.trim_start_matches(|c: char| !c.is_alphabetic());
        let (word, rest) = text.split_at(end_of_word(text));
        self.0 = rest;
        (!word.is_empty()).then_some(word)
    }
}

/// Where the first word ends: `api|Key`, `API|Key`, `key|_id`, `token|2`, but `APIs` is one word.
fn end_of_word(text: &str) -> usize {
    let mut previous_is_lower = false;
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let next_is_lower = letters
            .peek()
            .is_some_and(|&(after, next)| next.is_lowercase() && !is_plural(&text[after..]));
        let begins = letter.is_uppercase() && (previous_is_lower || next_is_lower);
        if !letter.is_alphabetic() || (begins && at > 0) {
            return at;
        }
        previous_is_lower = letter.is_lowercase();
    }
    text.len()
}

/// Whether it begins with an `s` that ends a word.
fn is_plural(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next() == Some('s') && !letters.next().is_some_and(char::is_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(key: &str) -> Vec<&str> {
        words(key).collect()
    }

    #[test]
    fn keys_are_split_into_words() {
        assert_eq!(split("user.apiKey"), ["user", "api", "Key"]);
        assert_eq!(split("X-API-Key"), ["X", "API", "Key"]);
        assert_eq!(split("APIKey"), ["API", "Key"]);
        assert_eq!(split("getJWTs"), ["get", "JWTs"]);
        assert_eq!(split("JWTsLeft"), ["JWTs", "Left"]);
        assert_eq!(split("oauth2_token1"), ["oauth", "token"]);
        assert_eq!(split("r#größe_Ä"), ["r", "größe", "Ä"]);
        assert!(split("_0.").is_empty());
    }

    #[test]
    fn secrets_are_found_in_every_spelling() {
        for key in [
            "password",
            "passwords",
            "new_password",
            "PASSWORD",
            "userPassword",
            "password2",
            "db.passwd",
            "api_key",
            "apiKeys",
            "X-Api-Key",
            "apikey",
            "http.request.header.authorization",
            "authorizations",
            "session_id",
            "sessionId",
            "card_number",
            "cardNumbers",
            "JWTs",
            "pin",
            "private_key_pem",
            "aws.access-key.id",
        ] {
            assert_eq!(secrecy(key), Secrecy::Secret, "{key}");
        }
        for key in [
            "token",
            "tokens",
            "refreshToken",
            "client_secret",
            "Set-Cookie",
        ] {
            assert_eq!(secrecy(key), Secrecy::SecretText, "{key}");
        }
        assert_eq!(secrecy("session_token"), Secrecy::Secret);
    }

    #[test]
    fn near_misses_are_open() {
        for key in [
            "",
            "tokenizer",
            "pinned",
            "spin",
            "key",
            "api",
            "key_api",
            "api_v1.key_id",
            "card",
            "number",
            "card_count_number",
            "author",
            "design",
            "secretary",
            "optional",
            "passing",
            "sessional",
            "passwordless",
            "passwordss",
            "order_id",
        ] {
            assert_eq!(secrecy(key), Secrecy::Open, "{key}");
        }
    }

    #[test]
    fn users_add_words() {
        let extra = ExtraWords::new(["email", "home_address", "", "."]);
        assert!(!extra.is_empty());
        for key in ["email", "Emails", "user.homeAddress"] {
            assert!(extra.hides(key), "{key}");
        }
        for key in ["emailed", "home", "address", "home.ip.address"] {
            assert!(!extra.hides(key), "{key}");
        }
        assert!(ExtraWords::new(["", "-"]).is_empty());
    }
}
