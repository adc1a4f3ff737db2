//! The CPU time of the whole process, and the cheapest clock there is.
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

/// The time stamp counter; nothing on processors without one.
#[inline]
#[must_use]
pub fn ticks() -> u64 {
    // SAFETY: `rdtsc` reads a register and is available on every x86-64 processor.
    #[cfg(target_arch = "x86_64")]
    let ticks = unsafe { core::arch::x86_64::_rdtsc() };
    #[cfg(not(target_arch = "x86_64"))]
    let ticks = 0;
    ticks
}
