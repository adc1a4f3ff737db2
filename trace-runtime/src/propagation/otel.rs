//! Our formats behind OpenTelemetry's propagator trait, so that instrumented clients use them too.

use opentelemetry::Context;
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};

use super::{Extract, Inject, Propagators};

/// [`Propagators`] as an OpenTelemetry propagator.
///
/// ```
/// use trace_runtime::propagation::{Propagators, TextMap};
///
/// opentelemetry::global::set_text_map_propagator(TextMap::from(Propagators::default()));
/// ```
#[derive(Clone, Debug)]
pub struct TextMap {
    propagators: Propagators,
    /// OpenTelemetry asks for owned names.
    fields: Vec<String>,
}

impl From<Propagators> for TextMap {
    fn from(propagators: Propagators) -> Self {
        TextMap {
            propagators,
            fields: propagators.fields().map(str::to_owned).collect(),
        }
    }
}

impl TextMapPropagator for TextMap {
    // The provided method runs the caller's injector while the current context is borrowed.
    fn inject(&self, injector: &mut dyn Injector) {
        self.inject_context(&Context::current(), injector);
    }

    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        if !cx.is_telemetry_suppressed() {
            self.propagators
                .inject_context(cx, &mut Injecting(injector));
        }
    }

    fn extract(&self, extractor: &dyn Extractor) -> Context {
        self.extract_with_context(&Context::current(), extractor)
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        let names = extractor.keys();
        self.propagators
            .extract_with(cx, &Extracting { extractor, names })
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&self.fields)
    }
}

struct Injecting<'a>(&'a mut dyn Injector);

impl Inject for Injecting<'_> {
    fn set(&mut self, name: &str, value: String) {
        self.0.set(name, value);
    }
}

struct Extracting<'a> {
    extractor: &'a dyn Extractor,
    names: Vec<&'a str>,
}

impl Extract for Extracting<'_> {
    fn get_all(&self, name: &str) -> Vec<&str> {
        if let Some(values) = self.extractor.get_all(name) {
            return values;
        }
        // Not every extractor looks names up without regard to case.
        let same = self
            .names
            .iter()
            .filter(|known| known.eq_ignore_ascii_case(name));
        same.filter_map(|known| self.extractor.get_all(known))
            .flatten()
            .collect()
    }

    fn names(&self) -> Vec<&str> {
        self.names.clone()
    }
}
