//! `ExportTraceServiceRequest`, written straight from the records.

use opentelemetry::InstrumentationScope;

use super::attribute::attribute;
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
    /// Spans of the batch at hand.
    spans: usize,
}

/// Bytes that the length of a batch most likely takes: up to 2 MiB.
const BATCH_LENGTH: usize = 3;

impl Encoder {
    /// Replaces what is in `out` by the request for this batch.
    pub(crate) fn encode(&mut self, batch: &Batch<'_>, out: &mut Vec<u8>) {
        out.clear();
        self.count_scopes(batch);
        message(out, RESOURCE_SPANS, BATCH_LENGTH, |out| {
            message(out, RESOURCE, 2, |out| resource(out, batch.resource()));
            for (index, scope) in self.scopes.iter().enumerate() {
                if scope.spans > 0 {
                    message(out, SCOPE_SPANS, BATCH_LENGTH, |out| {
                        out.extend_from_slice(&scope.fields);
                        self.spans(batch, index, out);
                    });
                }
            }
        });
    }

    /// Makes every site and scope of the batch known, and says which scopes have spans in it.
    fn count_scopes(&mut self, batch: &Batch<'_>) {
        self.scopes.iter_mut().for_each(|scope| scope.spans = 0);
        for id in batch.site_ids() {
            if !matches!(self.sites.get(id as usize), Some(Some(_))) {
                self.learn_site(id);
            }
            if let Some(Some(site)) = self.sites.get(id as usize) {
                self.scopes[site.scope].spans += 1;
            }
        }
    }

    /// Writes the spans of one scope.
    fn spans(&self, batch: &Batch<'_>, scope: usize, out: &mut Vec<u8>) {
        for span in batch.spans() {
            match self.sites.get(span.site_id() as usize) {
                Some(Some(site)) if site.scope == scope => {
                    message(out, SPANS, 2, |out| site.template.span(out, &span));
                }
                _ => {}
            }
        }
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
            template: SiteTemplate::new(site),
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
            fields,
            spans: 0,
        }
    }
}

fn resource(out: &mut Vec<u8>, resource: &Resource) {
    for (key, value) in resource.attributes() {
        attribute(out, tag(1, LEN), key, value);
    }
}
