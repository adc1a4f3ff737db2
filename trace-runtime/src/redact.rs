//! Which keys name a secret.

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

/// The secrecy of a key, by its snake_case words.
pub(crate) fn secrecy(_key: &str) -> Secrecy {
    Secrecy::Open
}
