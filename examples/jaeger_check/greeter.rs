//! The greeter: three requests, the second of which fails.

use std::time::Duration;

use crate::api::Query;
use crate::{Check, poll_all, same, same_text, tree};

const EXPECTED: &str = r#"greeter: Say::hello {name="ann", span.kind="server"}
  greeter: greeting {name="ann", word="hello"}
greeter: Say::hello {error.type="greeter::NobodyThere", error=true, name="", otel.status_code="ERROR", otel.status_description="nobody to greet", span.kind="server"}
  greeter: greeting {error.type="greeter::NobodyThere", error=true, name="", otel.status_code="ERROR", otel.status_description="nobody to greet", word="hello"}
    - {event="exception", exception.message="nobody to greet", exception.type="greeter::NobodyThere"}
greeter: Say::goodbye {name="ann", span.kind="server"}
  greeter: greeting {name="ann", word="goodbye"}
"#;

const PATIENCE: Duration = Duration::from_secs(30);

const CHECKS: [Check<Query>; 2] = [
    ("services", PATIENCE, services),
    ("traces", PATIENCE, traces),
];

pub(crate) fn check(query: &Query) -> Result<(), String> {
    poll_all(&CHECKS, query)
}

fn services(query: &Query) -> Result<(), String> {
    same(&query.services()?, &vec!["greeter".to_owned()])
}

fn traces(query: &Query) -> Result<(), String> {
    let traces = query.traces("greeter")?;
    let trees: String = traces.iter().map(tree::render).collect();
    same_text(&trees, EXPECTED)
}
