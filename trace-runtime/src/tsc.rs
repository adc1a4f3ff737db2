//! The processor's time stamp counter. Measured: two clock reads a span cost a sixth less than with
//! `Instant` (ARCHITECTURE.md, "What measurements decided").
#![allow(unsafe_code)]

/// Whether the counter ticks at one rate on every core, in the kernel's own judgement.
pub(crate) fn is_reliable() -> bool {
    const CLOCK_SOURCE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    cfg!(all(target_arch = "x86_64", target_os = "linux", not(miri)))
        && std::fs::read_to_string(CLOCK_SOURCE).is_ok_and(|source| source.trim() == "tsc")
}

/// The counter; 0 on processors without one, where [`is_reliable`] is false.
#[inline]
pub(crate) fn read() -> u64 {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: `rdtsc` reads a register and is available on every x86-64 processor.
    return unsafe { core::arch::x86_64::_rdtsc() };
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    0
}
