//! Tells what tracing would do in this environment, and whether it would work.
//!
//! `cargo run -p examples --bin doctor -- [--json] [--offline]`; any service of yours gives the same
//! report about itself with `TRACED_DOCTOR=1`, or `TRACED_DOCTOR=json`.

use std::process::ExitCode;
use std::time::Duration;

use trace_runtime::Tracer;
use trace_runtime::doctor::{Probing, doctor};

fn main() -> ExitCode {
    let (mut json, mut probing) = (false, Probing::Within(Duration::from_secs(5)));
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--json" => json = true,
            "--offline" => probing = Probing::Off,
            other => {
                eprintln!("unknown argument `{other}`; accepted are `--json` and `--offline`");
                return ExitCode::from(2);
            }
        }
    }
    let report = doctor(Tracer::builder(), probing);
    if json {
        println!("{}", report.to_json());
    } else {
        println!("{report}");
    }
    ExitCode::from(u8::from(!report.is_healthy()))
}
