//! Where traces are drawn: one place for all tracers of the process that draw there, because their
//! spans may belong to one trace.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use once_cell::sync::OnceCell;
use opentelemetry::Context;

use super::assembler::{Assembler, Span, Trace};
use super::draw;
use super::style::Style;

/// A trace that is whole waits this long, because one flush of a tracer may come in several batches.
const BETWEEN_BATCHES: Duration = Duration::from_millis(100);

/// A writer with the traces that wait to be drawn on it.
#[derive(Clone)]
pub(crate) struct Output(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// Told when nothing is left to wait for.
    closed: Condvar,
}

struct State {
    writer: Box<dyn Write + Send>,
    style: Style,
    assembler: Assembler,
    /// Tracers that draw here and have not shut down.
    tracers: usize,
    /// There were several at once, so that a trace may have parts in more than one.
    several: bool,
    /// How long a span waits in a tracer before it gets here.
    delay: Duration,
    ticking: bool,
    /// After a fork neither traces nor threads of the parent are ours.
    process: u32,
}

impl Output {
    /// Standard error, the same for everybody.
    pub(super) fn stderr() -> Self {
        static STDERR: OnceCell<Output> = OnceCell::new();
        STDERR.get_or_init(|| Self::new(io::stderr())).clone()
    }

    pub(super) fn new(writer: impl Write + Send + 'static) -> Self {
        let state = State {
            writer: Box::new(writer),
            style: Style::detect(false, None, |_| None),
            assembler: Assembler::default(),
            tracers: 0,
            several: false,
            delay: Duration::ZERO,
            ticking: false,
            process: std::process::id(),
        };
        Self(Arc::new(Shared {
            state: Mutex::new(state),
            closed: Condvar::new(),
        }))
    }

    /// One more tracer, whose spans arrive up to `delay` after their end.
    pub(super) fn open(&self, style: Style, delay: Duration) {
        let mut state = self.0.lock();
        if state.process != std::process::id() {
            state.process = std::process::id();
            state.assembler = Assembler::default();
            state.tracers = 0;
            state.several = false;
            state.ticking = false;
        }
        state.style = style;
        state.tracers += 1;
        state.several |= state.tracers > 1;
        state.delay = state.delay.max(delay);
    }

    /// One tracer less. The last one draws whatever there is.
    pub(super) fn close(&self) {
        let mut state = self.0.lock();
        state.tracers = state.tracers.saturating_sub(1);
        if state.tracers == 0 {
            state.several = false;
            let traces = state.assembler.take_all();
            state.draw(&traces);
            self.0.closed.notify_all();
        }
    }

    pub(super) fn add(&self, spans: impl Iterator<Item = Span>) {
        let mut state = self.0.lock();
        let now = Instant::now();
        let full = state.assembler.add(spans, now);
        state.draw(&full);
        state.draw_due(now);
        if !state.ticking && state.next_due().is_some() {
            state.ticking = self.start_ticking();
        }
    }

    /// The exporter is called with spans only, so the passing of time needs a thread; it lives as
    /// long as traces wait. Without it they wait for the next batch.
    fn start_ticking(&self) -> bool {
        let shared = Arc::clone(&self.0);
        thread::Builder::new()
            .name("traced-console".into())
            .spawn(move || shared.draw_until_idle())
            .is_ok()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn draw_until_idle(&self) {
        let _suppressed = Context::enter_telemetry_suppressed_scope();
        let mut state = self.lock();
        while let Some(due) = state.next_due() {
            let wait = due.saturating_duration_since(Instant::now());
            let woken = self.closed.wait_timeout(state, wait);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
            state.draw_due(Instant::now());
        }
        state.ticking = false;
    }
}

impl State {
    /// Alone, a tracer's next batch follows at once; others may be about to send their part.
    fn grace(&self) -> Duration {
        if self.several {
            self.delay + BETWEEN_BATCHES
        } else {
            BETWEEN_BATCHES
        }
    }

    fn next_due(&self) -> Option<Instant> {
        self.assembler.next_due(self.grace())
    }

    fn draw_due(&mut self, now: Instant) {
        let traces = self.assembler.take_due(now, self.grace());
        self.draw(&traces);
    }

    fn draw(&mut self, traces: &[Trace]) {
        if traces.is_empty() {
            return;
        }
        let text: String = traces
            .iter()
            .map(|trace| draw::trace(trace, &self.style))
            .collect();
        // There is nowhere to report that standard error is gone.
        let _ = self.writer.write_all(text.as_bytes());
        let _ = self.writer.flush();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::forest::sample::{SpanExt, span};

    /// Sends what is written, one message for each drawing.
    struct Messages(mpsc::Sender<String>);

    impl Write for Messages {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let text = String::from_utf8_lossy(bytes).into_owned();
            let _ = self.0.send(text);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn output() -> (Output, mpsc::Receiver<String>) {
        let (sender, receiver) = mpsc::channel();
        (Output::new(Messages(sender)), receiver)
    }

    fn add(output: &Output, service: &str, record: crate::SpanRecord) {
        let service = service.into();
        output.add([Span { record, service }].into_iter());
    }

    #[test]
    fn a_whole_trace_is_drawn_without_another_batch() {
        let (output, drawn) = output();
        output.open(Style::plain(100), Duration::from_secs(1));
        add(&output, "orders", span(1, 0, "root"));
        let text = drawn.recv_timeout(Duration::from_secs(60)).unwrap();
        assert!(text.starts_with("✓ ok"), "{text}");
    }

    #[test]
    fn two_tracers_draw_one_trace_and_the_last_to_close_draws_it() {
        let (output, drawn) = output();
        let minute = Duration::from_secs(60);
        output.open(Style::plain(100), minute);
        output.open(Style::plain(100), minute);
        add(&output, "orders", span(2, 1, "server").remote());
        add(&output, "gateway", span(1, 0, "root"));
        output.close();
        assert!(drawn.try_recv().is_err(), "the other may have its part");
        output.close();
        let text = drawn.try_recv().unwrap();
        assert!(text.contains("gateway → orders"), "{text}");
        assert!(drawn.try_recv().is_err());
    }

    #[test]
    fn what_is_incomplete_is_drawn_at_the_end() {
        let (output, drawn) = output();
        output.open(Style::plain(100), Duration::ZERO);
        add(&output, "orders", span(2, 1, "child"));
        assert!(drawn.try_recv().is_err());
        output.close();
        assert!(drawn.try_recv().unwrap().starts_with("… incomplete"));
    }
}
