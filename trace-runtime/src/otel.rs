//! The OpenTelemetry API over our spans: provider, tracer, span. Whatever speaks that API lands in
//! the same export.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

use opentelemetry::trace::{
    Span, SpanBuilder, SpanContext, SpanKind, Status, TraceContextExt, Tracer, TracerProvider,
};
use opentelemetry::{Context, InstrumentationScope, KeyValue};

use crate::callsite::{self, Level};
use crate::clock;
use crate::record::EventTime;
#[cfg(any(feature = "log", feature = "tracing"))]
use crate::span::answer;
use crate::span::{LiveSpan, NOW, start_in};
use crate::tracer::{Core, global};

/// Installs the global provider; spans go to whichever tracer is in charge.
pub(crate) fn install() {
    opentelemetry::global::set_tracer_provider(OtelTracerProvider { core: None });
}

/// The tracer provider of the OpenTelemetry API over this crate.
///
/// ```
/// use opentelemetry::trace::{Tracer as _, TracerProvider as _};
/// use trace_runtime::Tracer;
///
/// # fn main() -> Result<(), trace_runtime::InitError> {
/// let (tracer, _guard) = Tracer::builder().with_env(|_| None).build()?;
/// let manual = tracer.provider().tracer("manual");
/// manual.in_span("by hand", |_cx| {});
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct OtelTracerProvider {
    /// `None` is the global one, whichever that is when a span starts.
    core: Option<&'static Core>,
}

impl OtelTracerProvider {
    pub(crate) fn of(core: &'static Core) -> Self {
        Self { core: Some(core) }
    }
}

impl TracerProvider for OtelTracerProvider {
    type Tracer = OtelTracer;

    fn tracer_with_scope(&self, scope: InstrumentationScope) -> OtelTracer {
        OtelTracer {
            core: self.core,
            scope: Arc::new(Scope {
                scope,
                sites: Default::default(),
            }),
        }
    }
}

/// The tracer of the OpenTelemetry API: starts spans of one instrumentation scope.
#[derive(Clone, Debug)]
pub struct OtelTracer {
    core: Option<&'static Core>,
    scope: Arc<Scope>,
}

#[derive(Debug)]
struct Scope {
    scope: InstrumentationScope,
    /// The scope's site number plus one by span kind; 0 until the first span.
    sites: [AtomicU32; 5],
}

impl Scope {
    fn site(&self, kind: &SpanKind) -> u32 {
        let known = &self.sites[kind.clone() as usize];
        match known.load(Ordering::Relaxed) {
            0 => {
                let site = callsite::api_site(&self.scope, kind.clone());
                known.store(site + 1, Ordering::Relaxed);
                site
            }
            site => site - 1,
        }
    }
}

impl Tracer for OtelTracer {
    type Span = LiveSpan;

    fn build_with_context(&self, builder: SpanBuilder, parent: &Context) -> LiveSpan {
        if !global::is_enabled(Level::Info) {
            return LiveSpan::passing_on(parent);
        }
        let kind = builder.span_kind.unwrap_or(SpanKind::Internal);
        let links = builder.links.unwrap_or_default();
        let scoped;
        let cx = match self.core {
            Some(core) if global::scoped(parent).is_none() => {
                scoped = parent.with_value(global::Scoped(core));
                &scoped
            }
            _ => parent,
        };
        let site = self.scope.site(&kind);
        let Some(mut span) = start_in(cx, site, kind, builder.name, &links) else {
            return LiveSpan::passing_on(parent);
        };
        #[cfg(feature = "metrics")]
        if let (Some(live), Some(start)) = (span.only_timed(), builder.start_time) {
            live.set_wall_start(clock::unix_nanos(start));
        }
        if let Some(live) = span.live() {
            if let Some(start) = builder.start_time {
                live.set_wall_start(clock::unix_nanos(start));
            }
            for attribute in builder.attributes.into_iter().flatten() {
                live.set(attribute);
            }
            for link in links {
                live.add_link(link.span_context, link.attributes);
            }
            for event in builder.events.into_iter().flatten() {
                let time = EventTime::Wall(event.timestamp);
                live.add_event(event.name, time, event.attributes);
            }
        }
        span
    }
}

impl LiveSpan {
    /// A span that records nothing and has its parent's ids, so that what is below it stays joined.
    fn passing_on(parent: &Context) -> Self {
        Self::passing(parent.span().span_context().clone())
    }
}

impl Span for LiveSpan {
    fn add_event_with_timestamp<T>(
        &mut self,
        name: T,
        timestamp: SystemTime,
        attributes: Vec<KeyValue>,
    ) where
        T: Into<Cow<'static, str>>,
    {
        if let Some(live) = self.live() {
            let time = match timestamp {
                NOW => EventTime::Ticks(clock::ticks()),
                timestamp => EventTime::Wall(timestamp),
            };
            live.add_event(name.into(), time, attributes);
        }
    }

    fn span_context(&self) -> &SpanContext {
        self.context()
    }

    fn is_recording(&self) -> bool {
        self.is_live()
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        #[cfg(feature = "metrics")]
        if let Some(live) = self.only_timed() {
            return live.keep_error(attribute);
        }
        if let Some(live) = self.live() {
            live.set(attribute);
        }
    }

    fn set_status(&mut self, status: Status) {
        #[cfg(feature = "metrics")]
        if let Some(live) = self.only_timed() {
            live.keep_status(&status);
        }
        if let Some(live) = self.live() {
            #[cfg(any(feature = "log", feature = "tracing"))]
            if status == Status::Unset {
                return answer(live);
            }
            let known = &mut live.late().status;
            // Ok is final, and nothing returns to unset: the order of the API's `Status`.
            if status > *known || (matches!(status, Status::Error { .. }) && *known != Status::Ok) {
                *known = status;
            }
        }
    }

    fn update_name<T>(&mut self, new_name: T)
    where
        T: Into<Cow<'static, str>>,
    {
        if let Some(live) = self.live() {
            live.late().name = Some(new_name.into());
        }
    }

    fn add_link(&mut self, span_context: SpanContext, attributes: Vec<KeyValue>) {
        if let Some(live) = self.live() {
            live.add_link(span_context, attributes);
        }
    }

    fn end_with_timestamp(&mut self, timestamp: SystemTime) {
        match timestamp {
            NOW => self.end_own(),
            timestamp => self.finish(Some(clock::unix_nanos(timestamp))),
        }
    }
}
