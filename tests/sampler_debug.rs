//! Who may have a debug trace by `jaeger-debug-id`, and how many. In a process of its own, because the
//! propagators are the process's.

use std::convert::Infallible;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

use axum::body::Body;
use http::{Request, Response};
use tower::{Layer, Service, ServiceExt, service_fn};
use trace_runtime::tower::{ServerLayer, Trust};
use trace_runtime::{Batch, ExportError, Exporter, Sampler, Tracer, TracerGuard, Value};

/// Passes on what each span says of its `jaeger-debug-id`.
struct DebugIds(Sender<Option<String>>);

impl Exporter for DebugIds {
    fn export(&mut self, batch: &Batch<'_>) -> Result<(), ExportError> {
        for span in batch.spans() {
            let id = span.attributes().find(|(key, _)| *key == "jaeger-debug-id");
            let id = id.and_then(|(_, id)| match id {
                Value::Str(id) => Some(id.into_owned()),
                _ => None,
            });
            let _ = self.0.send(id);
        }
        Ok(())
    }

    fn target(&self) -> String {
        "memory".to_owned()
    }
}

async fn send(layer: &ServerLayer, headers: &[(&str, &str)]) {
    let mut service = layer.layer(service_fn(|_: Request<Body>| async {
        Ok::<_, Infallible>(Response::new(Body::empty()))
    }));
    let mut request = Request::new(Body::empty());
    for (name, value) in headers {
        let name: http::HeaderName = name.parse().unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    service.ready().await.unwrap().call(request).await.unwrap();
}

fn sampled(guard: &TracerGuard, exported: &Receiver<Option<String>>) -> Vec<Option<String>> {
    guard.flush().unwrap();
    exported.try_iter().collect()
}

const DEBUG: (&str, &str) = ("jaeger-debug-id", "ticket 42");
const REQUESTS: usize = 50;

#[tokio::test]
async fn a_debug_id_forces_sampling_once_a_second_unless_the_caller_is_trusted() {
    let (sender, exported) = channel();
    let guard = Tracer::builder()
        .with_env(|name| (name == "OTEL_PROPAGATORS").then(|| "jaeger".to_owned()))
        .with_service_name("debugged")
        .with_sampler(Sampler::always_off())
        .with_exporter(DebugIds(sender))
        .install()
        .unwrap();
    let forced = Some(DEBUG.1.to_owned());

    let start = Instant::now();
    for trust in [Trust::Ignore, Trust::Link] {
        let layer = ServerLayer::new().trust(trust);
        for _ in 0..REQUESTS {
            send(&layer, &[DEBUG]).await;
        }
    }
    let most = 1.0 + start.elapsed().as_secs_f64();
    let found = sampled(&guard, &exported);
    assert!((1.0..=most).contains(&(found.len() as f64)), "{found:?}");
    assert!(found.iter().all(|id| *id == forced), "{found:?}");

    let trusting = ServerLayer::new();
    for _ in 0..REQUESTS {
        send(&trusting, &[DEBUG]).await;
    }
    assert_eq!(sampled(&guard, &exported), vec![forced; REQUESTS]);

    // Beside a trace the id says nothing: the trace has its flags.
    let trace =
        |flags: &str| format!("463ac35c9f6413ad48485a3953bb6124:0020000000000001:0:{flags}");
    for (flags, spans) in [("0", 0), ("1", 1), ("3", 1)] {
        send(&trusting, &[DEBUG, ("uber-trace-id", &trace(flags))]).await;
        assert_eq!(sampled(&guard, &exported), vec![None; spans], "{flags}");
    }
}
