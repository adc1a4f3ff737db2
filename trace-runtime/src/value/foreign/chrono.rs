//! The types of crate `chrono`.

use ::chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone};

use super::super::std_types::text;
use super::super::time_text;
use crate::{ToValue, Value};

impl<Tz: TimeZone> ToValue for DateTime<Tz> {
    fn to_value(&self) -> Value<'_> {
        // A leap second counts past its second; RFC 3339 as we write it does not have it.
        let nanos = self.timestamp_subsec_nanos().min(999_999_999);
        text(time_text::utc(self.timestamp(), nanos))
    }
}

// `Debug` is the ISO 8601 form, with the `T` that `Display` leaves out.
macro_rules! naive {
    ($($type:ty),*) => {
        $(
            impl ToValue for $type {
                fn to_value(&self) -> Value<'_> {
                    text(format!("{self:?}"))
                }
            }
        )*
    };
}

naive!(NaiveDate, NaiveDateTime, NaiveTime);

impl ToValue for TimeDelta {
    fn to_value(&self) -> Value<'_> {
        let nanos = f64::from(self.subsec_nanos());
        Value::F64(self.num_seconds() as f64 + nanos / 1e9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::chrono::{FixedOffset, Utc};

    #[test]
    fn times() {
        let utc = DateTime::<Utc>::from_timestamp(1_709_210_096, 500_000_000).unwrap();
        let there = utc.with_timezone(&FixedOffset::east_opt(3600).unwrap());
        let expected = Value::Str("2024-02-29T12:34:56.5Z".into());
        assert_eq!(utc.to_value(), expected);
        assert_eq!(there.to_value(), expected);
        let naive = utc.naive_utc();
        assert_eq!(
            naive.to_value(),
            Value::Str("2024-02-29T12:34:56.500".into())
        );
        assert_eq!(naive.date().to_value(), Value::Str("2024-02-29".into()));
        assert_eq!(TimeDelta::milliseconds(-1500).to_value(), Value::F64(-1.5));
    }
}
