//! `#[tokio::main]` and `#[tokio::test]` on either side of `#[traced]`.

use trace_runtime::testing::capture;
use trace_runtime::traced;

#[traced]
async fn step(n: u8) -> Result<u8, String> {
    tokio::task::yield_now().await;
    n.checked_add(1).ok_or_else(|| "too many".to_owned())
}

#[tokio::main(flavor = "current_thread")]
#[traced]
async fn main_above() -> Result<(), String> {
    step(1).await.map(drop)
}

#[traced]
#[tokio::main(flavor = "current_thread")]
async fn main_below() -> Result<(), String> {
    step(1).await.map(drop)
}

#[traced]
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn on_threads() -> Result<(), String> {
    step(255).await.map(drop)
}

#[test]
fn a_main_is_a_span_in_either_order() {
    for (main, name) in [(main_above as fn() -> _, "above"), (main_below, "below")] {
        let capture = capture();
        capture.scope(main).unwrap();
        assert_eq!(
            capture.tree(),
            format!("main_{name}\n  step {{n=1}}\n"),
            "{name}"
        );
    }
}

#[test]
fn a_main_that_fails_is_a_span_that_failed() {
    let capture = capture();
    capture.scope(on_threads).unwrap_err();
    let error = "error.type=\"alloc::string::String\"} !error \"too many\"";
    assert_eq!(
        capture.tree(),
        format!(
            "on_threads {{{error}\n  step {{n=255, {error}\n    \
             - exception {{exception.type=\"alloc::string::String\", exception.message=\"too many\"}}\n"
        )
    );
}

#[tokio::test]
#[traced]
async fn a_test_above() -> Result<(), String> {
    step(1).await.map(drop)
}

#[traced]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_below() -> Result<(), String> {
    step(1).await.map(drop)
}

/// The tests above run by themselves as well, where nobody records them.
#[test]
fn a_test_is_a_span_in_either_order() {
    for (test, name) in [
        (a_test_above as fn() -> _, "above"),
        (a_test_below, "below"),
    ] {
        let capture = capture();
        capture.scope(test).unwrap();
        assert_eq!(
            capture.tree(),
            format!("a_test_{name}\n  step {{n=1}}\n"),
            "{name}"
        );
    }
}
