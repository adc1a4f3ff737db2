//! A request under way: the future of its response, then the response's body.

use pin_project_lite::pin_project;

use crate::integration::http::{Protocol, grpc};
use crate::span::Active;
use crate::span_future::InSpan;

pin_project! {
    /// What is polled until the call is over, inside the call's span.
    #[derive(Debug)]
    pub(super) struct Call<T> {
        #[pin]
        pub(super) inner: InSpan<T, Active>,
        pub(super) protocol: Protocol,
    }

    impl<T> PinnedDrop for Call<T> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            let span = this.inner.span();
            if *this.protocol != Protocol::Http && span.is_cancelled_by_drop() {
                grpc::record_cancelled(span);
            }
        }
    }
}

impl<T> Call<T> {
    pub(super) fn new(protocol: Protocol, span: Active, inner: T) -> Self {
        Self {
            inner: InSpan::new(span, inner),
            protocol,
        }
    }
}
