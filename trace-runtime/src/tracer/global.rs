//! The one tracer of the process, the level word, and which tracer is in charge.

use std::panic::Location;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use once_cell::sync::Lazy;
use opentelemetry::Context;

use super::builder::TracerBuilder;
use super::{Core, Tracer, TracerGuard};
use crate::callsite::Level;
use crate::config::{self, DoctorMode};
use crate::diagnostics::Diagnostic;
use crate::error::InitError;
use crate::{os, panic_hook};

/// The highest level that any tracer may record. Until the first span it lets everything through to
/// the slow path, which starts the tracer or finds that there is nothing to start.
static LEVEL: AtomicU8 = AtomicU8::new(Level::Trace as u8);

/// Changes whenever threads must look again which tracer is the global one.
static GENERATION: AtomicU32 = AtomicU32::new(1);

/// How often the process has been forked on its way from the first one.
static FORKS: AtomicU32 = AtomicU32::new(0);

/// Whether a span of this level may be recorded by anybody.
#[inline]
pub(crate) fn is_enabled(level: Level) -> bool {
    level as u8 <= LEVEL.load(Ordering::Relaxed)
}

#[inline]
pub(crate) fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

#[inline]
pub(crate) fn forks() -> u32 {
    FORKS.load(Ordering::Relaxed)
}

/// Runs in the child of a fork, where little else is allowed.
pub(crate) fn forked() {
    FORKS.fetch_add(1, Ordering::Relaxed);
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

#[derive(Debug, Default)]
struct Global {
    tracer: Chosen,
    /// Tracers that may record, the global one and others.
    active: Vec<&'static Core>,
    /// The global tracer has ended suspiciously early: spans that still start are noticed.
    watched: Option<&'static Core>,
}

#[derive(Debug, Default)]
enum Chosen {
    /// Nobody has asked yet.
    #[default]
    Nothing,
    /// The environment names no destination, and no code has said anything.
    Dormant,
    /// Started by a span, because the environment names a destination.
    Lazy(&'static Core),
    /// Started by code.
    Explicit(&'static Core),
}

static GLOBAL: Lazy<Mutex<Global>> = Lazy::new(Mutex::default);

fn global() -> MutexGuard<'static, Global> {
    GLOBAL.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Global {
    /// What threads and call sites look at follows from the rest.
    fn publish(&self) {
        let level = match self.tracer {
            Chosen::Nothing => Level::Trace as u8,
            _ if self.watched.is_some() => Level::Trace as u8,
            _ => self
                .active
                .iter()
                .map(|core| core.max_level())
                .max()
                .unwrap_or(0),
        };
        LEVEL.store(level, Ordering::Relaxed);
        GENERATION.fetch_add(1, Ordering::Release);
    }
}

/// The global tracer, started if the environment names a destination.
pub(crate) fn current() -> Option<&'static Core> {
    let mut global = global();
    match global.tracer {
        Chosen::Lazy(core) | Chosen::Explicit(core) => Some(core.here()),
        Chosen::Dormant => None,
        Chosen::Nothing => {
            let named = config::names_destination(&config::process_environment);
            // Other threads wait for the lock; this one is marked and records nothing meanwhile.
            let core = named.then(|| TracerBuilder::new().start_lenient(None, Location::caller()));
            os::install_handlers();
            global.tracer = core.map_or(Chosen::Dormant, Chosen::Lazy);
            global.active.extend(core);
            global.publish();
            core
        }
    }
}

/// Registers a tracer as one that may record.
pub(crate) fn activate(core: &'static Core) {
    os::install_handlers();
    let mut global = global();
    global.active.push(core);
    global.publish();
}

/// A tracer records no more.
pub(crate) fn deactivate(core: &'static Core) {
    let mut global = global();
    global.active.retain(|active| !std::ptr::eq(*active, core));
    global.publish();
}

/// The tracer of a context, where it is another one than the global.
#[derive(Debug)]
pub(crate) struct Scoped(pub(crate) &'static Core);

#[inline]
pub(crate) fn scoped(cx: &Context) -> Option<&'static Core> {
    cx.get::<Scoped>().map(|scoped| scoped.0)
}

/// Starts tracing from the environment alone. Never fails: what is wrong is reported once, and kept
/// for [`TracerGuard::diagnostics`].
///
/// With nothing configured, spans go to `http://localhost:4318`. `TRACED_STRICT=1` makes a bad
/// environment end the process with status 78.
///
/// ```no_run
/// let _guard = trace_runtime::init_tracer();
/// // ..
/// ```
#[track_caller]
pub fn init_tracer() -> TracerGuard {
    install_lenient(TracerBuilder::new())
}

/// Starts tracing from the environment alone.
///
/// # Errors
///
/// Every bad variable, all of them in one error.
///
/// ```no_run
/// # fn main() -> Result<(), trace_runtime::InitError> {
/// let _guard = trace_runtime::try_init_tracer()?;
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn try_init_tracer() -> Result<TracerGuard, InitError> {
    TracerBuilder::new().install()
}

/// Makes this tracer the global one; false if code has already chosen one.
///
/// ```no_run
/// use trace_runtime::Tracer;
///
/// # fn main() -> Result<(), trace_runtime::InitError> {
/// let (tracer, _guard) = Tracer::new("greeter", "127.0.0.1:6831")?;
/// trace_runtime::set_global_tracer(tracer);
/// # Ok(())
/// # }
/// ```
pub fn set_global_tracer(tracer: Tracer) -> bool {
    let mut global = global();
    if let Chosen::Explicit(owner) = global.tracer {
        note_second(owner);
        return false;
    }
    // A tracer that a span has started goes on for what it has recorded, and ends now.
    if let Chosen::Lazy(before) =
        std::mem::replace(&mut global.tracer, Chosen::Explicit(tracer.core))
    {
        global.active.retain(|core| !std::ptr::eq(*core, before));
        tracer.core.follow(Some(before));
    }
    global.publish();
    drop(global);
    install_globals(tracer.core);
    true
}

#[track_caller]
pub(super) fn install_lenient(builder: TracerBuilder) -> TracerGuard {
    let builder = or_doctor(builder);
    install_with(builder, |builder, before, init| {
        Ok(builder.start_lenient(before, init))
    })
    .unwrap_or_else(|error| unreachable!("a lenient start does not fail: {error}"))
}

#[track_caller]
pub(super) fn install_strict(builder: TracerBuilder) -> Result<TracerGuard, InitError> {
    let builder = or_doctor(builder);
    install_with(builder, TracerBuilder::start_strict)
}

/// With `TRACED_DOCTOR` the process ends here, with a report.
fn or_doctor(builder: TracerBuilder) -> TracerBuilder {
    match builder.doctor_mode() {
        DoctorMode::Off => builder,
        mode => crate::doctor::run(builder, mode),
    }
}

#[track_caller]
fn install_with(
    builder: TracerBuilder,
    start: impl FnOnce(
        TracerBuilder,
        Option<&'static Core>,
        &'static Location<'static>,
    ) -> Result<&'static Core, InitError>,
) -> Result<TracerGuard, InitError> {
    let init = Location::caller();
    crate::pipeline::thread::while_starting(|| {
        let mut global = global();
        let before = match global.tracer {
            Chosen::Explicit(owner) => {
                note_second(owner);
                return Ok(TracerGuard::inert(owner));
            }
            Chosen::Lazy(core) => Some(core.here()),
            Chosen::Nothing | Chosen::Dormant => None,
        };
        let core = match before {
            // The environment is all there is to say, and the running tracer knows it.
            Some(core) if builder.is_plain() => core,
            before => {
                let core = start(builder, before, init)?;
                global
                    .active
                    .retain(|active| before.is_none_or(|b| !std::ptr::eq(*active, b)));
                global.active.push(core);
                core
            }
        };
        global.tracer = Chosen::Explicit(core);
        global.publish();
        drop(global);
        install_globals(core);
        Ok(TracerGuard::owning(core))
    })
}

/// The guard of `core` is dropped early; for `time`, spans that still start are explained.
pub(super) fn watch(core: &'static Core, time: Duration) {
    let mut global = global();
    if !matches!(global.tracer, Chosen::Explicit(owner) if std::ptr::eq(owner, core)) {
        return;
    }
    global.watched = Some(core);
    let message = format!(
        "the guard returned at {} was dropped after {} ms, and spans still start: they are lost; \
         bind the guard to a variable that lives as long as `main`, `let _guard = ..` rather than \
         `let _ = ..`",
        core.init,
        core.started.elapsed().as_millis()
    );
    let over = || {
        let mut global = self::global();
        global.watched = None;
        global.publish();
    };
    core.control
        .watch(Instant::now() + time, message, Box::new(over));
}

fn note_second(owner: &Core) {
    owner.note(Diagnostic::warning(format!(
        "the tracer was already initialised at {}; this second initialisation changes nothing",
        owner.init
    )));
}

/// What code that only knows the OpenTelemetry API will find.
fn install_globals(core: &'static Core) {
    os::install_handlers();
    panic_hook::install();
    crate::otel::install();
    core.install_propagators();
}

/// Delivers what every tracer has left, when the process exits and no guard has done it.
pub(crate) fn at_exit() {
    let Ok(global) = GLOBAL.try_lock() else {
        return;
    };
    let active: Vec<_> = global
        .active
        .iter()
        .filter_map(|core| core.of_this_process())
        .collect();
    let watched = global.watched;
    drop(global);
    let started = Instant::now();
    if let Some(core) = watched {
        core.control
            .await_last_words(started + Duration::from_millis(100));
    }
    for core in active {
        let timeout = core.config.own.shutdown_timeout.value;
        // Whoever exits wants to be gone: the time is for all tracers together.
        let left = timeout
            .saturating_sub(started.elapsed())
            .max(Duration::from_millis(10));
        let _ = core.shutdown(left);
    }
}
