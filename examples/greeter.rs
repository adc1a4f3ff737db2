//! The greeter of the Go tutorials: handlers whose spans go to a Jaeger agent, each second, with a
//! line for every span.
//!
//! ```text
//! $ cargo run -p examples --bin greeter
//! hello, ann
//! nobody to greet
//! goodbye, ann
//! ```
//!
//! That is `NewTracer("greeter", "127.0.0.1:6831")`. Another agent is the argument `--agent
//! HOST:PORT`. With `--env` the code names nothing, and the variables of jaeger-client-go decide:
//!
//! ```text
//! $ JAEGER_SERVICE_NAME=greeter JAEGER_AGENT_HOST=127.0.0.1 JAEGER_AGENT_PORT=6831 \
//!     JAEGER_SAMPLER_TYPE=const JAEGER_SAMPLER_PARAM=1 JAEGER_REPORTER_LOG_SPANS=true \
//!     cargo run -p examples --bin greeter -- --env
//! ```

use std::fmt;

use trace_runtime::{InitError, Tracer, TracerGuard, traced, try_init_tracer};

/// The service, as a framework for remote calls would register it.
struct Say;

#[traced(kind = server)]
impl Say {
    fn hello(&self, name: &str) -> Result<String, NobodyThere> {
        greeting("hello", name)
    }

    fn goodbye(&self, name: &str) -> Result<String, NobodyThere> {
        greeting("goodbye", name)
    }
}

#[traced]
fn greeting(word: &str, name: &str) -> Result<String, NobodyThere> {
    if name.is_empty() {
        return Err(NobodyThere);
    }
    Ok(format!("{word}, {name}"))
}

#[derive(Debug)]
struct NobodyThere;

impl fmt::Display for NobodyThere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nobody to greet")
    }
}

impl std::error::Error for NobodyThere {}

/// The guard is what the tutorials call the closer: when it goes, what is left is sent.
fn start(arguments: &[String]) -> Result<TracerGuard, InitError> {
    let agent = match arguments {
        [env] if env == "--env" => return try_init_tracer(),
        [option, agent] if option == "--agent" => agent,
        _ => "127.0.0.1:6831",
    };
    let (tracer, guard) = Tracer::new("greeter", agent)?;
    trace_runtime::set_global_tracer(tracer);
    Ok(guard)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let _guard = start(&arguments)?;
    for reply in [Say.hello("ann"), Say.hello(""), Say.goodbye("ann")] {
        match reply {
            Ok(greeting) => println!("{greeting}"),
            Err(error) => println!("{error}"),
        }
    }
    Ok(())
}
