//! `ExportTraceServiceRequest`, written straight from the records.

use opentelemetry::InstrumentationScope;

use super::attribute::attribute;
use super::buffer::Buffer;
use super::proto::{self, LEN, message, tag};
use super::span::SiteTemplate;
use crate::{Batch, Resource, Value, callsite};

/// `ExportTraceServiceRequest.resource_spans`, `ResourceSpans.resource` and so on.
const RESOURCE_SPANS: u8 = tag(1, LEN);
const RESOURCE: u8 = tag(1, LEN);
const SCOPE_SPANS: u8 = tag(2, LEN);
const SCOPE: u8 = tag(1, LEN);
const SPANS: u8 = tag(2, LEN);
const SCHEMA_URL: u8 = tag(3, LEN);

/// Encodes batches. It keeps what it made of each call site and scope.
#[derive(Debug, Default)]
pub(crate) struct Encoder {
    /// By the number of the site, which counts up from zero.
    sites: Vec<Option<Site>>,
    scopes: Vec<Scope>,
    out: Buffer,
}

#[derive(Debug)]
struct Site {
    template: SiteTemplate,
    scope: usize,
}

#[derive(Debug)]
struct Scope {
    scope: InstrumentationScope,
    /// The scope and its schema, encoded.
    fields: Vec<u8>,
    /// Whether the spans of the batch at hand that have this scope are written.
    written: bool,
}

/// Bytes that the length of a batch most likely takes: up to 2 MiB.
const BATCH_LENGTH: usize = 3;

impl Encoder {
    /// What the last batch was encoded to.
    pub(crate) fn encoded(&self) -> &[u8] {
        self.out.written()
    }

    /// Encodes a batch in place of the one before.
    pub(crate) fn encode(&mut self, batch: &Batch<'_>) {
        let mut out = std::mem::take(&mut self.out);
        out.clear();
        self.scopes
            .iter_mut()
            .for_each(|scope| scope.written = false);
        message(&mut out, RESOURCE_SPANS, BATCH_LENGTH, |out| {
            message(out, RESOURCE, 2, |out| resource(out, batch.resource()));
            let mut left = batch.spans().len();
            while left > 0 {
                let Some(scope) = self.next_scope(batch) else {
                    break;
                };
                message(out, SCOPE_SPANS, BATCH_LENGTH, |out| {
                    left -= self.scope_spans(batch, scope, out);
                });
                self.scopes[scope].written = true;
            }
        });
        self.out = out;
    }

    /// The first scope in the batch whose spans are not written yet: most batches have one only.
    fn next_scope(&mut self, batch: &Batch<'_>) -> Option<usize> {
        batch.spans().find_map(|span| {
            let scope = self.scope_of(span.site_id());
            (!self.scopes[scope].written).then_some(scope)
        })
    }

    /// Writes a scope and its spans; says how many these are.
    fn scope_spans(&mut self, batch: &Batch<'_>, scope: usize, out: &mut Buffer) -> usize {
        out.extend(&self.scopes[scope].fields);
        let mut spans = 0;
        for span in batch.spans() {
            let id = span.site_id();
            let site = match self.sites.get(id as usize) {
                Some(Some(site)) => site,
                _ => self.learn_site(id),
            };
            if site.scope == scope {
                site.template.span(out, &span);
                spans += 1;
            }
        }
        spans
    }

    fn scope_of(&mut self, id: u32) -> usize {
        match self.sites.get(id as usize) {
            Some(Some(site)) => site.scope,
            _ => self.learn_site(id).scope,
        }
    }

    #[cold]
    fn learn_site(&mut self, id: u32) -> &Site {
        let site = callsite::site(id);
        let scope = self.scope(&site.scope);
        let index = id as usize;
        if self.sites.len() <= index {
            self.sites.resize_with(index + 1, || None);
        }
        self.sites[index].insert(Site {
            template: SiteTemplate::new(SPANS, site),
            scope,
        })
    }

    fn scope(&mut self, scope: &InstrumentationScope) -> usize {
        let known = self.scopes.iter().position(|known| known.scope == *scope);
        known.unwrap_or_else(|| {
            self.scopes.push(Scope::new(scope));
            self.scopes.len() - 1
        })
    }
}

impl Scope {
    fn new(scope: &InstrumentationScope) -> Self {
        let mut fields = Buffer::default();
        message(&mut fields, SCOPE, 1, |out| {
            proto::text(out, tag(1, LEN), scope.name());
            proto::text(out, tag(2, LEN), scope.version().unwrap_or_default());
            for kv in scope.attributes() {
                attribute(out, tag(3, LEN), kv.key.as_str(), &Value::from(&kv.value));
            }
        });
        proto::text(
            &mut fields,
            SCHEMA_URL,
            scope.schema_url().unwrap_or_default(),
        );
        Self {
            scope: scope.clone(),
            fields: fields.written().to_vec(),
            written: false,
        }
    }
}

fn resource(out: &mut Buffer, resource: &Resource) {
    for (key, value) in resource.attributes() {
        attribute(out, tag(1, LEN), key, value);
    }
}
