//! The types of crate `time`.

use ::time::{Date, Duration, OffsetDateTime, PrimitiveDateTime};

use super::super::std_types::text;
use super::super::time_text;
use crate::{ToValue, Value};

impl ToValue for OffsetDateTime {
    fn to_value(&self) -> Value<'_> {
        text(time_text::utc(self.unix_timestamp(), self.nanosecond()))
    }
}

impl ToValue for PrimitiveDateTime {
    fn to_value(&self) -> Value<'_> {
        let utc = self.assume_utc();
        let mut local = time_text::utc(utc.unix_timestamp(), utc.nanosecond());
        // Nothing says that the time is in UTC.
        local.pop();
        text(local)
    }
}

impl ToValue for Date {
    fn to_value(&self) -> Value<'_> {
        text(self.to_string())
    }
}

impl ToValue for Duration {
    fn to_value(&self) -> Value<'_> {
        Value::F64(self.as_seconds_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::time::UtcOffset;

    #[test]
    fn times() {
        let utc = OffsetDateTime::from_unix_timestamp(1_709_210_096).unwrap();
        let there = utc.to_offset(UtcOffset::from_hms(1, 0, 0).unwrap());
        let expected = Value::Str("2024-02-29T12:34:56Z".into());
        assert_eq!(utc.to_value(), expected);
        assert_eq!(there.to_value(), expected);
        let local = PrimitiveDateTime::new(utc.date(), utc.time());
        assert_eq!(local.to_value(), Value::Str("2024-02-29T12:34:56".into()));
        assert_eq!(utc.date().to_value(), Value::Str("2024-02-29".into()));
        assert_eq!(Duration::milliseconds(1500).to_value(), Value::F64(1.5));
    }
}
