//! A copy of the process, for the scenario that forks.
#![allow(unsafe_code)]

/// The copy, as its parent sees it.
pub(crate) struct Child(libc::pid_t);

/// Goes on twice: `None` in the copy.
pub(crate) fn fork() -> Option<Child> {
    // SAFETY: the copy only does what the test is about, which must work after a fork.
    let child = unsafe { libc::fork() };
    (child != 0).then_some(Child(child))
}

impl Child {
    /// Until the copy has ended; says how.
    pub(crate) fn wait(self) -> i32 {
        let mut status = 0;
        // SAFETY: waits for a child of this process, and `status` is a valid place to write to.
        unsafe { libc::waitpid(self.0, &raw mut status, 0) };
        status
    }
}
