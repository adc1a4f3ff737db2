//! The CPU time of the whole process or of its children, and the cheapest clock there is.
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

/// User time of all children that have ended.
///
/// # Panics
/// If the system does not keep it.
#[must_use]
pub fn children_user_time() -> Duration {
    // SAFETY: all zeros is a value of this type.
    let mut usage = unsafe { std::mem::zeroed::<libc::rusage>() };
    // SAFETY: `usage` is a valid place to write an `rusage` to.
    let status = unsafe { libc::getrusage(libc::RUSAGE_CHILDREN, &raw mut usage) };
    assert_eq!(status, 0, "the children have no CPU time");
    let time = usage.ru_utime;
    Duration::from_secs(time.tv_sec as u64) + Duration::from_micros(time.tv_usec as u64)
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
