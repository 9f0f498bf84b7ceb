//! Work on files that may never end, as on a network file system that hangs.

use tokio::sync::oneshot;

use crate::os::process::thread;

/// Enough to read and check certificates.
const STACK: usize = 512 * 1024;

/// Runs something in a thread of its own, so that the runtime goes on meanwhile.
///
/// Returns nothing if there is no thread to be had, or if it panics.
///
/// # Cancel safety
///
/// Dropping the future leaves the thread to its end, and its result to nobody.
pub(super) async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (done, result) = oneshot::channel();
    let started = thread::spawn(STACK, move || {
        // Whoever has asked may be gone.
        let _ = done.send(work());
    });
    if let Err(error) = started {
        tracing::error!("cannot start a thread to read files: {error}");
        return None;
    }
    result.await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_runtime_goes_on_while_a_file_system_hangs() {
        let (release, hangs) = std::sync::mpsc::channel();
        let reading = apart(move || hangs.recv().unwrap());
        // On this runtime of one thread nothing would come after a read that blocks it.
        let going_on = async { release.send(7).unwrap() };
        assert_eq!(tokio::join!(reading, going_on).0, Some(7));
    }
}
