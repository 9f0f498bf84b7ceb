//! Several futures at the same time, in one task.

use std::pin::Pin;
use std::task::Poll;

/// Waits until all futures have ended, and returns what they came to, in their order.
pub(super) async fn all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    enum State<F: Future> {
        Running(Pin<Box<F>>),
        Ended(F::Output),
    }
    let mut states: Vec<_> = futures
        .into_iter()
        .map(Box::pin)
        .map(State::Running)
        .collect();
    std::future::poll_fn(|cx| {
        let mut is_ready = true;
        for state in &mut states {
            if let State::Running(future) = state {
                match future.as_mut().poll(cx) {
                    Poll::Ready(output) => *state = State::Ended(output),
                    Poll::Pending => is_ready = false,
                }
            }
        }
        if is_ready {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    let ended = states.into_iter().filter_map(|state| match state {
        State::Ended(output) => Some(output),
        State::Running(_) => None,
    });
    ended.collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{Instant, sleep};

    use super::all;

    #[tokio::test(start_paused = true)]
    async fn all_run_at_the_same_time_and_answer_in_their_order() {
        let begun = Instant::now();
        let answers = all([3, 1, 2].map(|seconds| async move {
            sleep(Duration::from_secs(seconds)).await;
            seconds
        }));
        assert_eq!(answers.await, [3, 1, 2]);
        assert_eq!(begun.elapsed(), Duration::from_secs(3));
        assert!(all::<std::future::Ready<()>>([]).await.is_empty());
    }
}
