//! `TRACED_LOG=log`: what we have to say ourselves goes to the logger, and round in no circle.

use std::time::{Duration, Instant};

use tests::closed_port::ClosedPort;
use tests_logs::Output;
use trace_runtime::Tracer;
use trace_runtime::log::LogBridge;

/// The only test of this process, for there is one logger.
#[test]
fn our_own_lines_go_to_the_logger_when_asked() {
    let output = Output::default();
    let logger = env_logger::Builder::new()
        .filter_level(log::LevelFilter::Info)
        .format_timestamp(None)
        .target(env_logger::Target::Pipe(Box::new(output.clone())))
        .build();
    log::set_max_level(log::LevelFilter::Trace);
    let bridge = LogBridge::new(logger).with_max_level(log::LevelFilter::Trace);
    log::set_boxed_logger(Box::new(bridge)).expect("the first one");
    let port = ClosedPort::default();
    let (tracer, guard) = Tracer::builder()
        .with_service_name("shop")
        .with_endpoint(port.url())
        .with_env(|name| (name == "TRACED_LOG").then(|| "log".to_owned()))
        .with_flush_interval(Duration::from_millis(10))
        .build()
        .expect("the settings are good");
    tracer.in_scope(|| trace_runtime::span!("work" => log::warn!("here")));
    let _ = guard.flush();
    let deadline = Instant::now() + Duration::from_secs(20);
    let is_ours = |line: &String| line.starts_with("[WARN  trace_runtime] ");
    let warning = loop {
        let found = output.lines().into_iter().find(is_ours);
        if found.is_some() || Instant::now() > deadline {
            break found.unwrap_or_else(|| panic!("no warning in {:?}", output.lines()));
        }
        std::thread::yield_now();
    };
    assert!(warning.contains(&port.address.to_string()), "{warning}");
    assert!(!warning.contains("trace_id"), "{warning}");
    assert!(
        output.lines()[0].contains("here trace_id="),
        "{:?}",
        output.lines()
    );
    let _ = guard.shutdown(Duration::from_secs(1));
    assert_eq!(guard.stats().ended, 1, "our own lines make no spans");
}
