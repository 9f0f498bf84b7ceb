//! Work that blocks: on a thread that no task runs on.

/// Runs something that blocks on a thread of its own, and waits for what it returns.
///
/// # Errors
///
/// Returns the message of its panic.
///
/// # Cancel safety
///
/// What has begun goes on although the future was dropped.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| match error.try_into_panic() {
        Ok(panic) => super::panic_message(panic),
        Err(error) => error.to_string(),
    })
}
