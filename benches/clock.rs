//! The CPU time of the whole process.
#![allow(unsafe_code)]

use std::time::Duration;

/// User and system time of all threads, the ended ones included.
///
/// # Panics
/// If the system has no such clock.
#[must_use]
pub fn process_cpu_time() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is a valid place to write a `timespec` to.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    assert_eq!(status, 0, "the process has no CPU clock");
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
