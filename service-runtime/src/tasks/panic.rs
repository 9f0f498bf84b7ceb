//! Panics of futures, turned into their messages.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// Runs a future to its end and returns its value, or the message of its panic.
///
/// The panic hook has run by then, so the place of the panic is already in the log. What the
/// future left half-done in shared state when it panicked stays half-done.
///
/// # Errors
///
/// Returns the panic's message: the text given to `panic!`, or a sentence that says that the
/// payload was no text.
///
/// # Cancel safety
///
/// As cancel safe as `future` is.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use service_runtime::tasks::catch_panic;
///
/// assert_eq!(catch_panic(async { 1 }).await, Ok(1));
/// let caught = catch_panic(async { panic!("no route to {}", "db") }).await;
/// assert_eq!(caught, Err::<(), _>("no route to db".to_owned()));
/// # });
/// ```
pub async fn catch_panic<F: Future>(future: F) -> Result<F::Output, String> {
    let mut future = pin!(future);
    poll_fn(
        |cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(payload) => Poll::Ready(Err(message(payload))),
        },
    )
    .await
}

/// Extracts the text of a panic from its payload.
pub(crate) fn message(payload: Box<dyn Any + Send>) -> String {
    let payload = match payload.downcast::<String>() {
        Ok(text) => return *text,
        Err(payload) => payload,
    };
    match payload.downcast::<&'static str>() {
        Ok(text) => (*text).to_owned(),
        Err(payload) => {
            // A payload may panic when it is dropped, and here nothing would catch that.
            std::mem::forget(payload);
            "panic with a payload that is not text".to_owned()
        }
    }
}

/// Calls a user's callback, and logs its panic instead of passing it on.
pub(super) fn shielded(what: &'static str, task: &str, callback: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(callback)) {
        let panic = message(payload);
        tracing::error!(task, panic, "{what} panicked");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_with_a_literal_a_text_or_a_value_has_a_message() {
        assert_eq!(
            catch_panic(async { panic!("plain") }).await,
            Err::<(), _>("plain".into())
        );
        let n = 3;
        assert_eq!(
            catch_panic(async { panic!("n={n}") }).await,
            Err::<(), _>("n=3".into())
        );
        let caught: Result<(), _> = catch_panic(async { std::panic::panic_any(7_u8) }).await;
        assert_eq!(caught, Err("panic with a payload that is not text".into()));
    }

    #[tokio::test]
    async fn a_panic_after_an_await_is_caught() {
        let caught = catch_panic(async {
            tokio::task::yield_now().await;
            panic!("late");
        });
        assert_eq!(caught.await, Err::<(), _>("late".into()));
    }

    #[test]
    fn a_shielded_callback_that_panics_returns() {
        shielded("a callback", "t", || panic!("ignored"));
    }
}
