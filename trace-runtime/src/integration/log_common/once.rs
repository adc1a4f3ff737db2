//! One event is recorded once: not again where one facade passes it on to the other, nor what is
//! logged while it is being recorded.

use std::cell::Cell;

thread_local! {
    static RECORDING: Cell<bool> = const { Cell::new(false) };
}

/// While it lives, nothing else is recorded on this thread.
#[derive(Debug)]
pub(crate) struct Recording(());

/// Begins to record; `None` while something is being recorded.
pub(crate) fn begin() -> Option<Recording> {
    let recording = RECORDING.try_with(|recording| recording.replace(true));
    // Not `then_some`: one that is made and dropped would end the first.
    (recording == Ok(false)).then(|| Recording(()))
}

impl Drop for Recording {
    fn drop(&mut self) {
        RECORDING.set(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_is_recorded_at_a_time() {
        let first = begin();
        assert!(first.is_some());
        assert!(begin().is_none());
        assert!(begin().is_none(), "the second one ended nothing");
        drop(first);
        assert!(begin().is_some());
    }
}
