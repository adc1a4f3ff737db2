//! Work that is handed to threads and tasks: below the span that handed it over if it carries the
//! span, and in a trace of its own if not.

use std::sync::Arc;

use rayon::prelude::*;
use tokio::runtime::Handle;
use tokio::task::LocalSet;
use trace_runtime::tasks::JoinSet;
use trace_runtime::testing::{Capture, assert_trace};
use trace_runtime::{InCurrentContext, Tracer, carry, carry_fn, spawn, spawn_blocking};
use trace_runtime::{testing, traced};

#[traced]
fn step(n: u64) -> u64 {
    n
}

#[traced]
async fn step_async(n: u64) -> u64 {
    tokio::task::yield_now().await;
    n
}

#[traced]
fn on_threads() -> u64 {
    let thread = std::thread::spawn(carry(|| step(1)));
    let scoped = std::thread::scope(|scope| scope.spawn(carry(|| step(2))).join());
    let named = std::thread::Builder::new().name("third".into());
    let third = named.spawn(carry(|| step(3))).unwrap();
    thread.join().unwrap() + scoped.unwrap() + third.join().unwrap()
}

#[test]
fn std_threads_carry_the_span() {
    let capture = testing::capture();
    assert_eq!(capture.scope(on_threads), 6);
    assert_trace!(capture, "on_threads" { "step" [n = 1], "step" [n = 2], "step" [n = 3] });
}

fn pool() -> rayon::ThreadPool {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2);
    pool.build().unwrap()
}

#[traced]
fn on_rayon(pool: &rayon::ThreadPool) -> u64 {
    let each: u64 = pool.install(carry(|| {
        let numbers: Vec<u64> = (1..=8).collect();
        numbers.par_iter().map(carry_fn(|&n| step(n))).sum()
    }));
    let (left, right) = pool.install(carry(|| {
        rayon::join(carry(|| step(10)), carry(|| step(20)))
    }));
    each + left + right
}

#[test]
fn rayon_carries_the_span() {
    let (capture, pool) = (testing::capture(), pool());
    assert_eq!(capture.scope(|| on_rayon(&pool)), 66);
    assert_trace!(capture, "on_rayon" { "step" * 10 });
}

#[traced]
fn on_a_rayon_scope(pool: &rayon::ThreadPool) {
    let carried = carry_fn(|n| _ = step(n));
    pool.scope(|scope| {
        scope.spawn(|_| carried(1));
        scope.spawn(|_| carried(2));
    });
}

#[test]
fn a_closure_that_carries_the_span_is_shared_by_reference() {
    let (capture, pool) = (testing::capture(), pool());
    capture.scope(|| on_a_rayon_scope(&pool));
    assert_trace!(capture, "on_a_rayon_scope" { "step" [n = 1], "step" [n = 2] });
}

#[traced]
async fn on_tasks() -> u64 {
    let task = spawn(step_async(1));
    let blocking = spawn_blocking(|| step(2));
    let by_hand = tokio::spawn(step_async(3).in_current_context());
    task.await.unwrap() + blocking.await.unwrap() + by_hand.await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_carry_the_span() {
    let capture = testing::capture();
    assert_eq!(capture.scope_async(on_tasks()).await, 6);
    assert_trace!(capture, "on_tasks" { "step_async" [n = 1], "step" [n = 2], "step_async" [n = 3] });
}

#[traced]
async fn in_a_set() -> u64 {
    let mut set: JoinSet<u64> = (1..=2).map(step_async).collect();
    set.spawn(step_async(3));
    set.spawn_on(step_async(4), &Handle::current());
    set.spawn_blocking(|| step(5));
    set.spawn_blocking_on(|| step(6), &Handle::current());
    set.extend([step_async(7)]);
    assert_eq!(set.len(), 7);
    let mut sum = 0;
    while let Some(n) = set.join_next().await {
        sum += n.unwrap();
    }
    sum
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_of_a_set_carry_the_span() {
    let capture = testing::capture();
    assert_eq!(capture.scope_async(in_a_set()).await, 28);
    assert_trace!(capture, "in_a_set" { "step_async" * 5, "step" * 2 });
}

#[traced]
async fn in_a_local_set() -> Vec<u64> {
    let local = LocalSet::new();
    let mut set = JoinSet::default();
    set.spawn_local_on(step_async(1), &local);
    local
        .run_until(async { set.spawn_local(step_async(2)) })
        .await;
    let mut all = local.run_until(set.join_all()).await;
    all.sort_unstable();
    all
}

#[tokio::test]
async fn local_tasks_of_a_set_carry_the_span() {
    let capture = testing::capture();
    assert_eq!(capture.scope_async(in_a_local_set()).await, [1, 2]);
    assert_trace!(capture, "in_a_local_set" { "step_async" * 2 });
}

#[traced]
async fn first_spawns(set: &mut JoinSet<u64>) {
    set.spawn(step_async(1));
}

#[traced]
async fn second_spawns(set: &mut JoinSet<u64>) {
    set.spawn(step_async(2));
}

#[tokio::test]
async fn a_task_belongs_to_who_spawned_it_not_to_who_joins_it() {
    let capture = testing::capture();
    let joined = capture.scope_async(async {
        let mut set = tokio::task::JoinSet::new().into();
        first_spawns(&mut set).await;
        second_spawns(&mut set).await;
        set.into_inner().join_all().await.len()
    });
    assert_eq!(joined.await, 2);
    assert_trace!(capture, "first_spawns" { "step_async" [n = 1] }, "second_spawns" { "step_async" [n = 2] });
}

/// The tracer stands for the global one, which every task finds by itself.
#[traced]
async fn hands_over_nothing(tracer: Tracer) {
    let own = tracer.clone();
    let task = tokio::spawn(async move { own.in_scope_async(step_async(1)).await });
    let own = tracer.clone();
    let blocking = tokio::task::spawn_blocking(move || own.in_scope(|| step(2)));
    let own = tracer.clone();
    let thread = std::thread::spawn(move || own.in_scope(|| step(3)));
    let mut set = tokio::task::JoinSet::new();
    set.spawn(async move { tracer.in_scope_async(step_async(4)).await });
    task.await.unwrap();
    blocking.await.unwrap();
    thread.join().unwrap();
    set.join_all().await;
}

#[tokio::test]
async fn without_carrying_each_piece_of_work_begins_a_trace_of_its_own() {
    let capture = testing::capture();
    let tracer = capture.tracer().clone();
    capture.scope_async(hands_over_nothing(tracer)).await;
    assert_trace!(capture, "hands_over_nothing" {}, "step_async" * 2, "step" * 2);
    assert_eq!(traces(&capture), 5);
}

fn traces(capture: &Capture) -> usize {
    let spans = capture.spans();
    let ids: std::collections::HashSet<_> = spans.iter().map(|span| span.trace_id).collect();
    ids.len()
}

#[traced]
async fn hands_over_in_a_scope() {
    tokio::spawn(step_async(1)).await.unwrap();
}

#[tokio::test]
async fn without_carrying_the_tracer_of_a_scope_stays_behind() {
    let capture = Arc::new(testing::capture());
    capture.scope_async(hands_over_in_a_scope()).await;
    assert_trace!(capture, "hands_over_in_a_scope" {});
}
