//! One launch a process.

use std::sync::atomic::{AtomicBool, Ordering};

static LAUNCHED: AtomicBool = AtomicBool::new(false);

/// Takes the one launch that a process has.
///
/// Signals, the log and the configuration belong to the process, so a second launch beside the
/// first, or after it, would take them away from somebody.
pub(crate) fn take() -> Result<(), &'static str> {
    if LAUNCHED.swap(true, Ordering::SeqCst) {
        return Err(
            "a launch is already under way in this process, or has ended: a process \
                    launches once; put several services into one launch, as a tuple or a `Vec`",
        );
    }
    Ok(())
}
