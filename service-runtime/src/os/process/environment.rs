//! Variables of the environment that are for this process alone.
#![expect(
    unsafe_code,
    reason = "the environment belongs to all threads of a process"
)]

/// Removes variables, so that no child takes them for its own.
///
/// In a process with several threads they stay: another thread may be reading the environment.
pub(crate) fn remove(names: impl IntoIterator<Item = &'static str>) {
    if !is_alone() {
        tracing::debug!("variables of the service manager stay: the process has other threads");
        return;
    }
    for name in names {
        // SAFETY: another thread must not read or write the environment meanwhile. `is_alone` has
        // just found no other, and nothing here starts one.
        unsafe { std::env::remove_var(name) };
    }
}

#[cfg(workers)]
fn is_alone() -> bool {
    // Where nobody can be counted, somebody may be there.
    super::threads::others().is_ok_and(|others| others.is_empty())
}

#[cfg(not(workers))]
fn is_alone() -> bool {
    false
}
