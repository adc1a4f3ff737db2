//! The types of crate `http`.

use ::http::uri::{Authority, PathAndQuery, Scheme};
use ::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, Version};

use super::super::std_types::text;
use super::user_info;
use crate::record::attributes::REDACTED_TEXT;
use crate::{ToValue, Value};

macro_rules! texts {
    ($($type:ty),*) => {
        $(
            impl ToValue for $type {
                fn to_value(&self) -> Value<'_> {
                    self.as_str().to_value()
                }
            }
        )*
    };
}

texts!(Method, HeaderName, PathAndQuery, Scheme);

impl ToValue for StatusCode {
    fn to_value(&self) -> Value<'_> {
        Value::I64(i64::from(self.as_u16()))
    }
}

impl ToValue for Version {
    fn to_value(&self) -> Value<'_> {
        text(format!("{self:?}"))
    }
}

impl ToValue for Uri {
    fn to_value(&self) -> Value<'_> {
        Value::Str(user_info::hidden(self.to_string().into()))
    }
}

impl ToValue for Authority {
    fn to_value(&self) -> Value<'_> {
        Value::Str(user_info::hidden(self.as_str().into()))
    }
}

/// Bytes that are no visible ASCII are shown as the replacement character.
impl ToValue for HeaderValue {
    fn to_value(&self) -> Value<'_> {
        if self.is_sensitive() {
            return REDACTED_TEXT.to_value();
        }
        Value::Str(String::from_utf8_lossy(self.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn str(text: &str) -> Value<'_> {
        Value::Str(text.into())
    }

    #[test]
    fn parts_of_a_request() {
        assert_eq!(Method::GET.to_value(), str("GET"));
        assert_eq!(StatusCode::NOT_FOUND.to_value(), Value::I64(404));
        assert_eq!(Version::HTTP_2.to_value(), str("HTTP/2.0"));
        assert_eq!(Uri::from_static("/a?b=c").to_value(), str("/a?b=c"));
        assert_eq!(
            Uri::from_static("http://me:pw@host/").to_value(),
            str("http://REDACTED:REDACTED@host/")
        );
        assert_eq!(
            Authority::from_static("me@host:1").to_value(),
            str("REDACTED:REDACTED@host:1")
        );
    }

    #[test]
    fn sensitive_headers_are_hidden() {
        let mut header = HeaderValue::from_static("Basic bWU6cHc=");
        assert_eq!(header.to_value(), str("Basic bWU6cHc="));
        header.set_sensitive(true);
        assert_eq!(header.to_value(), str("[redacted]"));
    }
}
