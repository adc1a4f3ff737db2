//! `ExportTraceServiceRequest`, written straight from the records.

use opentelemetry::InstrumentationScope;

use super::attribute::attribute;
use super::proto::{self, LEN, field_len, message, tag};
use super::span::{self, SiteFields};
use crate::{Batch, Resource, SpanView, Value, callsite};

/// `ExportTraceServiceRequest.resource_spans`, `ResourceSpans.resource` and so on.
const RESOURCE_SPANS: u8 = tag(1, LEN);
const RESOURCE: u8 = tag(1, LEN);
const SCOPE_SPANS: u8 = tag(2, LEN);
const SCOPE: u8 = tag(1, LEN);
const SPANS: u8 = tag(2, LEN);
const SCHEMA_URL: u8 = tag(3, LEN);

/// Encodes batches. It keeps what it made of each call site and scope, and its buffers.
#[derive(Debug, Default)]
pub(crate) struct Encoder {
    /// By the number of the site, which counts up from zero.
    sites: Vec<Option<Site>>,
    scopes: Vec<Scope>,
}

#[derive(Debug)]
struct Site {
    fields: SiteFields,
    scope: usize,
}

#[derive(Debug)]
struct Scope {
    scope: InstrumentationScope,
    /// The encoded scope, then the spans of the batch that belong to it.
    fields: Vec<u8>,
    /// How much of `fields` is the scope.
    own: usize,
}

impl Encoder {
    /// Replaces what is in `out` by the request for this batch.
    pub(crate) fn encode(&mut self, batch: &Batch<'_>, out: &mut Vec<u8>) {
        for scope in &mut self.scopes {
            scope.fields.truncate(scope.own);
        }
        for span in batch.spans() {
            self.add(&span);
        }
        self.assemble(batch.resource(), out);
    }

    fn add(&mut self, span: &SpanView<'_>) {
        let id = span.site_id() as usize;
        if !matches!(self.sites.get(id), Some(Some(_))) {
            self.learn_site(span.site_id());
        }
        let Some(Some(site)) = self.sites.get(id) else {
            return;
        };
        let out = &mut self.scopes[site.scope].fields;
        message(out, SPANS, 2, |out| span::span(out, &site.fields, span));
    }

    #[cold]
    fn learn_site(&mut self, id: u32) {
        let site = callsite::site(id);
        let scope = self.scope(&site.scope);
        let index = id as usize;
        if self.sites.len() <= index {
            self.sites.resize_with(index + 1, || None);
        }
        self.sites[index] = Some(Site {
            fields: SiteFields::new(site),
            scope,
        });
    }

    fn scope(&mut self, scope: &InstrumentationScope) -> usize {
        let known = self.scopes.iter().position(|known| known.scope == *scope);
        known.unwrap_or_else(|| {
            self.scopes.push(Scope::new(scope));
            self.scopes.len() - 1
        })
    }

    fn assemble(&self, resource: &Resource, out: &mut Vec<u8>) {
        out.clear();
        let resource = self::resource(resource);
        let used = || self.scopes.iter().filter(|scope| scope.has_spans());
        let len: usize = used().map(|scope| field_len(scope.fields.len())).sum();
        out.reserve(len + resource.len() + 16);
        out.push(RESOURCE_SPANS);
        proto::varint(out, (field_len(resource.len()) + len) as u64);
        proto::bytes(out, RESOURCE, &resource);
        for scope in used() {
            proto::bytes(out, SCOPE_SPANS, &scope.fields);
        }
    }
}

impl Scope {
    fn new(scope: &InstrumentationScope) -> Self {
        let mut fields = Vec::new();
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
            own: fields.len(),
            fields,
        }
    }

    fn has_spans(&self) -> bool {
        self.fields.len() > self.own
    }
}

fn resource(resource: &Resource) -> Vec<u8> {
    let mut out = Vec::new();
    let borrowed = |(key, value)| attribute(&mut out, tag(1, LEN), key, value);
    resource.attributes().for_each(borrowed);
    out
}
