//! What the status of a call means for the batch.

use std::error::Error;
use std::io;
use std::time::Duration;

use tonic::{Code, Status, TimeoutExpired};

use super::super::proto::{Field, Fields};
use crate::ExportError;
use crate::plain_text::first_line;

/// Why a call failed, as an error of the export.
pub(super) fn failure(status: &Status, spans: u64) -> ExportError {
    if is_local(status) {
        return ExportError::Unreachable(reason(status));
    }
    let after = retry_delay(status.details());
    let said = first_line(status.message().as_bytes());
    let mut message = format!("gRPC {:?}", status.code());
    if !said.is_empty() {
        message = format!("{message}: {said}");
    }
    if is_retryable(status.code(), after.is_some()) {
        return ExportError::Retry { after, message };
    }
    if let Some(hint) = hint(status.code()) {
        message = format!("{message}; {hint}");
    }
    ExportError::Rejected { spans, message }
}

/// Whether the status was made up here, because nobody answered.
pub(super) fn is_local(status: &Status) -> bool {
    status.source().is_some()
}

/// Whether the library's own clock has ended the call.
pub(super) fn is_timeout(status: &Status) -> bool {
    causes(status).any(|cause| cause.is::<TimeoutExpired>())
}

/// The codes of the OTLP specification. A receiver that is exhausted says so when it will recover.
fn is_retryable(code: Code, has_delay: bool) -> bool {
    match code {
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => true,
        Code::ResourceExhausted => has_delay,
        _ => false,
    }
}

/// What is probably wrong.
fn hint(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::Unauthenticated | Code::PermissionDenied => {
            "check the credentials in the exporter's headers"
        }
        Code::Unimplemented => "OTLP over gRPC is usually on port 4317",
        Code::ResourceExhausted => "a smaller `OTEL_BSP_MAX_EXPORT_BATCH_SIZE` may help",
        _ => return None,
    })
}

/// What is behind a status that was made up here, from the outside in.
fn causes(status: &Status) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let mut next = status.source();
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}

/// Why nobody answered, in words for a diagnostic.
fn reason(status: &Status) -> String {
    let kinds = causes(status).filter_map(|cause| Some(cause.downcast_ref::<io::Error>()?.kind()));
    for kind in kinds {
        match kind {
            io::ErrorKind::ConnectionRefused => return "connection refused".to_owned(),
            io::ErrorKind::TimedOut => return "no connection in time".to_owned(),
            _ => {}
        }
    }
    let innermost = causes(status).last().map(ToString::to_string);
    let said = first_line(innermost.unwrap_or_default().as_bytes());
    if said.contains("failed to lookup") {
        return "host not found".to_owned();
    }
    // The library speaks of frames when the other side speaks another protocol.
    if ["frame", "HTTP", "broken pipe"]
        .iter()
        .any(|word| said.contains(word))
    {
        return format!("{said}; this port may not speak gRPC, OTLP over gRPC is usually on 4317");
    }
    said
}

/// `google.rpc.RetryInfo.retry_delay` among the details of a `google.rpc.Status`.
fn retry_delay(details: &[u8]) -> Option<Duration> {
    Fields(details).find_map(|field| match field {
        (3, Field::Bytes(any)) => retry_info(any),
        _ => None,
    })
}

fn retry_info(any: &[u8]) -> Option<Duration> {
    let is_retry_info = |field| match field {
        (1, Field::Bytes(kind)) => kind.ends_with(b"google.rpc.RetryInfo"),
        _ => false,
    };
    if !Fields(any).any(is_retry_info) {
        return None;
    }
    let inner = |message, number| {
        Fields(message).find_map(move |field| match field {
            (n, Field::Bytes(inner)) if n == number => Some(inner),
            _ => None,
        })
    };
    let (mut seconds, mut nanos) = (0, 0);
    // No delay is a delay of zero.
    for field in Fields(inner(inner(any, 2)?, 1).unwrap_or_default()) {
        match field {
            (1, Field::Varint(value)) => seconds = value,
            (2, Field::Varint(value)) => nanos = value.min(999_999_999),
            _ => {}
        }
    }
    // A negative one makes no sense.
    let seconds = if seconds > i64::MAX as u64 {
        0
    } else {
        seconds
    };
    Some(Duration::new(seconds, nanos as u32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exporter::otlp::buffer::Buffer;
    use crate::exporter::otlp::proto::{LEN, VARINT, bytes, message, tag, uint32};

    fn details(kind: &str, seconds: u32, nanos: u32) -> Vec<u8> {
        let mut out = Buffer::default();
        uint32(&mut out, tag(1, VARINT), 14);
        bytes(&mut out, tag(2, LEN), b"busy");
        message(&mut out, tag(3, LEN), 1, |any| {
            let url = format!("type.googleapis.com/{kind}");
            bytes(any, tag(1, LEN), url.as_bytes());
            message(any, tag(2, LEN), 1, |info| {
                message(info, tag(1, LEN), 1, |delay| {
                    uint32(delay, tag(1, VARINT), seconds);
                    uint32(delay, tag(2, VARINT), nanos);
                });
            });
        });
        out.written().to_vec()
    }

    fn failed(code: Code, details: Vec<u8>) -> ExportError {
        let status = Status::with_details(code, "words", details.into());
        failure(&status, 3)
    }

    #[test]
    fn the_codes_of_the_specification_are_retried() {
        let retried = |code| {
            matches!(
                failed(code, Vec::new()),
                ExportError::Retry { after: None, .. }
            )
        };
        let all = (0..17).map(Code::from_i32);
        let codes: Vec<_> = all
            .filter(|code| retried(*code))
            .map(|code| code as i32)
            .collect();
        assert_eq!(codes, [1, 4, 10, 11, 14, 15]);
    }

    #[test]
    fn a_delay_is_honoured_and_makes_exhaustion_retryable() {
        let delay = || details("google.rpc.RetryInfo", 2, 500_000_000);
        for code in [Code::ResourceExhausted, Code::Unavailable] {
            let ExportError::Retry { after, message } = failed(code, delay()) else {
                panic!("{code} is not retried");
            };
            assert_eq!(after, Some(Duration::from_millis(2500)));
            assert!(message.contains("words"), "{message}");
        }
        assert_eq!(
            retry_delay(&details("google.rpc.RetryInfo", 0, 0)),
            Some(Duration::ZERO)
        );
        assert_eq!(retry_delay(&details("google.rpc.Help", 2, 0)), None);
        assert_eq!(retry_delay(&delay()[..20]), None);
        assert_eq!(retry_delay(b"\xff\xff"), None);
    }

    #[test]
    fn refusals_count_the_whole_batch_and_say_what_to_check() {
        for (code, hint) in [
            (Code::Unauthenticated, "credentials"),
            (Code::Unimplemented, "4317"),
            (Code::ResourceExhausted, "`OTEL_BSP_MAX_EXPORT_BATCH_SIZE`"),
            (Code::InvalidArgument, "words"),
        ] {
            match failed(code, Vec::new()) {
                ExportError::Rejected { spans: 3, message } => {
                    assert!(message.contains(hint), "{message}");
                }
                other => panic!("{code}: {other:?}"),
            }
        }
    }

    mod any_input {
        use proptest::prelude::*;

        use super::*;
        use crate::any_input;

        const PIECES: &[&str] = &[
            "\x08",
            "\x0a",
            "\x10",
            "\x12",
            "\x1a",
            "\x01",
            "\x02",
            "\x05",
            "\x15",
            "\x7f",
            "google.rpc.RetryInfo",
        ];

        proptest! {
            #![proptest_config(any_input::config())]

            #[test]
            fn any_details(bytes in any_input::bytes(PIECES)) {
                for details in [bytes.clone(), details("google.rpc.RetryInfo", 1, 2), bytes] {
                    let delay = retry_delay(&details);
                    prop_assert!(delay.is_none_or(|delay| delay.subsec_nanos() < 1_000_000_000));
                }
            }
        }
    }
}
