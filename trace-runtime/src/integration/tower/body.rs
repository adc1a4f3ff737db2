//! The body of a response, until its end the last part of a server span.

use std::fmt::Display;
use std::pin::Pin;
use std::task::{Context as Task, Poll, ready};

use bytes::Buf;
use http::Response;
use http::header::CONTENT_LENGTH;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::call::Call;
use crate::integration::http::{Protocol, error, grpc};
use crate::outcome::Sink;
use crate::span::Active;

pin_project! {
    /// A response's body whose end is the end of its span: a server's, or that of a call of gRPC.
    ///
    /// The span is current while the body is polled.
    #[derive(Debug)]
    pub struct TracedBody<B> {
        #[pin]
        call: Call<B>,
        has_begun: bool,
        // Bytes until the length is reached that the head announces; then nobody asks for the end.
        left: Option<u64>,
    }
}

/// How many bytes the head says that the body has.
pub(super) fn announced_length<B: Body>(response: &Response<B>) -> Option<u64> {
    let header = || {
        let length = response.headers().get(CONTENT_LENGTH)?;
        length.to_str().ok()?.parse().ok()
    };
    response.body().size_hint().exact().or_else(header)
}

impl<B> TracedBody<B> {
    pub(super) fn untraced(body: B) -> Self {
        Self::new(Protocol::Http, body, Active::none(), None)
    }

    pub(super) fn new(protocol: Protocol, body: B, span: Active, length: Option<u64>) -> Self {
        Self {
            call: Call::new(protocol, span, body),
            has_begun: false,
            left: length,
        }
    }
}

/// An empty body, of no span.
impl<B: Default> Default for TracedBody<B> {
    fn default() -> Self {
        Self::untraced(B::default())
    }
}

impl<B> Body for TracedBody<B>
where
    B: Body,
    B::Error: Display + 'static,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        task: &mut Task<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let mut call = this.call.project();
        let polled = call.inner.as_mut().poll_inside(
            |mut body| {
                let frame = ready!(body.as_mut().poll_frame(task));
                let is_last = is_last(&frame) || body.is_end_stream();
                Poll::Ready((frame, is_last))
            },
            |(_, is_last)| *is_last,
        );
        let Some(polled) = polled else {
            return Poll::Ready(None);
        };
        let (frame, is_last) = ready!(polled);
        let span = call.inner.span();
        if Sink::recording(span) {
            observe::<B>(span, &frame, this.has_begun, this.left);
            if is_last && *call.protocol == Protocol::Grpc && !matches!(frame, Some(Err(_))) {
                let trailers = frame
                    .as_ref()
                    .and_then(|frame| frame.as_ref().ok()?.trailers_ref());
                grpc::record_end(trailers, span);
            }
        }
        if is_last {
            drop(span.take());
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.call.inner.inner().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.call
            .inner
            .inner()
            .map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

/// Whether nobody will ask for another frame.
fn is_last<D, E>(frame: &Option<Result<Frame<D>, E>>) -> bool {
    match frame {
        Some(Ok(frame)) => frame.is_trailers(),
        Some(Err(_)) | None => true,
    }
}

fn observe<B>(
    span: &mut Active,
    frame: &Option<Result<Frame<B::Data>, B::Error>>,
    has_begun: &mut bool,
    left: &mut Option<u64>,
) where
    B: Body,
    B::Error: Display + 'static,
{
    let data = match frame {
        Some(Ok(frame)) => frame.data_ref(),
        Some(Err(error)) => return error::record(error, span),
        None => None,
    };
    let Some(data) = data else { return };
    if data.has_remaining() && !std::mem::replace(has_begun, true) {
        span.event("first byte");
    }
    *left = left.map(|left| left.saturating_sub(data.remaining() as u64));
    if *left == Some(0) {
        // A drop is no longer too early.
        span.rest();
    }
}
