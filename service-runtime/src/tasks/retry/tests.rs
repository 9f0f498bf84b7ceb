//! Delays, ends, and every sort of error that a call may fail with.

use std::borrow::Cow;
use std::error::Error;
use std::future::ready;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn delays() -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_min_delay(SECOND)
        .with_factor(2.0)
        .with_max_times(3)
}

/// The number of a try, as an error.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("try {0} failed")]
struct Failed(u32);

fn numbered(tries: &AtomicU32) -> Failed {
    Failed(tries.fetch_add(1, Ordering::SeqCst))
}

#[tokio::test(start_paused = true)]
async fn delays_grow_until_no_tries_are_left() {
    let (group, tries, start) = (TaskGroup::new("g"), AtomicU32::new(0), Instant::now());
    let call = || async { Err::<(), _>(numbered(&tries)) };
    let ended = group.retry(delays(), |_| true, call).await.unwrap_err();
    assert!(matches!(ended, RetryError::GaveUp(_)), "{ended:?}");
    assert_eq!(ended.into_inner().downcast_ref(), Some(&Failed(3)));
    assert_eq!(start.elapsed(), 7 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn an_error_that_is_not_to_be_retried_ends_it() {
    let (group, tries) = (TaskGroup::new("g"), AtomicU32::new(0));
    let call = || async { Err::<(), _>(numbered(&tries)) };
    let again = |error: &Failed| error.0 < 1;
    let ended = group.retry(delays(), again, call).await.unwrap_err();
    assert!(matches!(ended, RetryError::GaveUp(_)), "{ended:?}");
    assert_eq!(ended.into_inner().downcast_ref(), Some(&Failed(1)));
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_the_delay_but_not_the_try() {
    let (group, start) = (TaskGroup::new("g"), Instant::now());
    let own = group.clone();
    let task = group.try_spawn("r", async move {
        let call = || async {
            sleep(5 * SECOND).await;
            Err::<(), _>("refused")
        };
        own.retry(delays().with_min_delay(60 * SECOND), |_| true, call)
            .await
    });
    sleep(SECOND).await;
    group.stop(true);
    let ended = task.unwrap().wait().await.unwrap().unwrap_err();
    assert_eq!(start.elapsed(), 5 * SECOND);
    assert!(matches!(ended, RetryError::Stopped(_)), "{ended:?}");
    assert_eq!(ended.to_string(), "stopped trying, because the group stops");
    assert_eq!(ended.into_inner().to_string(), "refused");
}

/// Hands on, as a hook does, what a call failed with that returns such errors.
async fn handed_on<E, Kind>(error: impl Fn() -> E) -> String
where
    E: RetryCause<Kind>,
{
    async fn hook<E, Kind>(error: impl Fn() -> E) -> crate::prelude::Result<()>
    where
        E: RetryCause<Kind>,
    {
        let group = TaskGroup::new("g");
        let call = || ready(Err::<(), _>(error()));
        group.retry(delays(), |_| true, call).await?;
        Ok(())
    }
    format!("{:#}", hook(error).await.unwrap_err())
}

fn refused() -> io::Error {
    io::Error::other(Failed(7))
}

#[tokio::test(start_paused = true)]
async fn whatever_a_call_fails_with_is_handed_on_with_its_causes() {
    let told = "gave up trying: try 7 failed";
    assert_eq!(handed_on(refused).await, told);
    let with_cause = || anyhow::Error::new(Failed(7)).context("no answer");
    assert_eq!(
        handed_on(with_cause).await,
        "gave up trying: no answer: try 7 failed"
    );
    assert_eq!(
        handed_on(|| -> Box<dyn Error + Send + Sync> { refused().into() }).await,
        told
    );
    assert_eq!(
        handed_on(|| -> Box<dyn Error + Send> { Box::new(refused()) }).await,
        told
    );
    assert_eq!(
        handed_on(|| RetryError::Stopped(Failed(7).into())).await,
        "gave up trying: stopped trying, because the group stops: try 7 failed"
    );
    assert_eq!(handed_on(|| "try 7 failed").await, told);
    assert_eq!(handed_on(|| "try 7 failed".to_owned()).await, told);
    assert_eq!(handed_on(|| Cow::Borrowed("try 7 failed")).await, told);
}

#[tokio::test(start_paused = true)]
async fn an_error_of_one_thread_leaves_its_texts_and_the_retry_can_be_a_task() {
    #[derive(Debug, thiserror::Error)]
    #[error("no answer")]
    struct NoAnswer(#[source] Failed, std::rc::Weak<()>);

    let group = TaskGroup::new("g");
    let own = group.clone();
    let task = group.try_spawn("r", async move {
        let call = || async {
            sleep(SECOND).await;
            let error: Box<dyn Error> = Box::new(NoAnswer(Failed(7), std::rc::Weak::new()));
            Err::<(), _>(error)
        };
        Ok::<(), anyhow::Error>(own.retry(delays(), |_| true, call).await?)
    });
    let error = task.unwrap().wait().await.unwrap().unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        "gave up trying: no answer: try 7 failed"
    );
}
