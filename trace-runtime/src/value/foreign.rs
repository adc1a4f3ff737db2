//! The types of other crates that can be recorded, each crate behind a feature.

#[cfg(feature = "http")]
mod http;

#[cfg(any(feature = "http", feature = "url"))]
mod user_info;

#[cfg(feature = "uuid")]
impl crate::ToValue for uuid::Uuid {
    fn to_value(&self) -> crate::Value<'_> {
        super::std_types::text(self.to_string())
    }
}

#[cfg(feature = "url")]
impl crate::ToValue for url::Url {
    fn to_value(&self) -> crate::Value<'_> {
        crate::Value::Str(user_info::hidden(self.as_str().into()))
    }
}

#[cfg(feature = "chrono")]
mod chrono;

#[cfg(feature = "time")]
mod time;

#[cfg(all(test, feature = "url"))]
mod tests {
    use crate::{ToValue, Value};

    #[test]
    fn a_url_loses_its_user() {
        let url = url::Url::parse("https://me:pw@host/a?b@c").unwrap();
        assert_eq!(
            url.to_value(),
            Value::Str("https://REDACTED:REDACTED@host/a?b@c".into())
        );
    }
}
