//! What a panic said, for the first span that it ends.

use std::cell::RefCell;
use std::panic::{self, PanicHookInfo};
use std::sync::atomic::{AtomicBool, Ordering};

use opentelemetry::KeyValue;

/// Message and place of a panic.
#[derive(Clone, Debug)]
pub(crate) struct Panic {
    pub(crate) message: String,
    location: String,
}

/// Messages are as long as their authors made them.
const LONGEST_MESSAGE: usize = 4096;

impl Panic {
    pub(crate) fn attributes(&self) -> Vec<KeyValue> {
        vec![
            KeyValue::new("exception.type", "panic"),
            KeyValue::new("exception.message", self.message.clone()),
            KeyValue::new("exception.stacktrace", format!("at {}", self.location)),
            KeyValue::new("exception.escaped", true),
        ]
    }
}

thread_local! {
    static LAST: RefCell<Option<Panic>> = const { RefCell::new(None) };
}

/// Chains our hook before the one that is set; it stores and prints nothing.
pub(crate) fn install() {
    static INSTALLED: AtomicBool = AtomicBool::new(false);
    // The hook cannot be changed while this thread panics: the next init does it.
    if std::thread::panicking() || INSTALLED.swap(true, Ordering::AcqRel) {
        return;
    }
    let previous = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        store(info);
        previous(info);
    }));
}

fn store(info: &PanicHookInfo<'_>) {
    let payload = info.payload();
    let message = match payload.downcast_ref::<&str>() {
        Some(text) => (*text).to_owned(),
        None => payload
            .downcast_ref::<String>()
            .cloned()
            .unwrap_or_default(),
    };
    let end = message.floor_char_boundary_at(LONGEST_MESSAGE);
    let message = message[..end].to_owned();
    let location = info
        .location()
        .map_or_else(String::new, ToString::to_string);
    let _ = LAST.try_with(|last| {
        if let Ok(mut last) = last.try_borrow_mut() {
            *last = Some(Panic { message, location });
        }
    });
}

/// The panic that unwinds this thread, once.
pub(crate) fn take() -> Option<Panic> {
    LAST.try_with(|last| last.try_borrow_mut().ok()?.take())
        .ok()
        .flatten()
}

trait FloorCharBoundary {
    fn floor_char_boundary_at(&self, index: usize) -> usize;
}

impl FloorCharBoundary for str {
    /// The largest character boundary that is not above `index`.
    fn floor_char_boundary_at(&self, index: usize) -> usize {
        (0..=index.min(self.len()))
            .rev()
            .find(|at| self.is_char_boundary(*at))
            .unwrap_or(0)
    }
}
