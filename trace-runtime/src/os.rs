//! What only the operating system can tell: that the process exits, that it was forked, how wide the
//! terminal is.
#![allow(unsafe_code)]

use std::panic::catch_unwind;
use std::sync::Once;

use crate::tracer::global;

/// Registers for exit and fork, once. Signal handlers stay the application's.
pub(crate) fn install_handlers() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: `exiting` is a function for the whole life of the process, and neither unwinds nor
        // touches thread-locals that may be gone by then.
        unsafe { libc::atexit(exiting) };
        #[cfg(unix)]
        // SAFETY: `forked_child` only adds to atomics, which is safe between `fork` and `exec`.
        unsafe {
            libc::pthread_atfork(None, None, Some(forked_child));
        }
    });
}

extern "C" fn exiting() {
    // A panic must not cross into C.
    let _ = catch_unwind(global::at_exit);
}

#[cfg(unix)]
extern "C" fn forked_child() {
    global::forked();
}

/// The width of the terminal that standard error is, if it is one.
#[cfg(unix)]
pub(crate) fn terminal_columns() -> Option<usize> {
    let mut size = libc::winsize {
        ws_row: 0,
        ws_col: 0,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: the request writes a `winsize`, and `size` is one that outlives the call.
    let answer = unsafe { libc::ioctl(libc::STDERR_FILENO, libc::TIOCGWINSZ, &raw mut size) };
    (answer == 0 && size.ws_col > 0).then(|| usize::from(size.ws_col))
}

/// Elsewhere nobody knows.
#[cfg(not(unix))]
pub(crate) fn terminal_columns() -> Option<usize> {
    None
}
