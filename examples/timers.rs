//! Timers and loops of a task group: paces, time limits, values, and how they end.
//!
//! Run with
//!
//! ```text
//! cargo run --example timers
//! ```
//!
//! What you will see:
//!
//! - `fixed` ticks each second. Its third run takes too long: the ticks it misses are skipped.
//! - `drain` says after each job when to come again, and ends early with the number of jobs.
//! - `connect` fails twice, waits longer each time, and ends with a connection.
//! - `poll` has two seconds, and times out.
//! - `fetch`, a single call, is tried until it succeeds.
//! - `beat` is stopped through its handle.
//!
//! What to try:
//!
//! - `kill -USR1` it: a line for each timer that lives, with its runs and the next of them.
//! - `kill` it: a timer that waits ends at once, one that runs ends its run first. It exits with 0.
//! - Give `fixed` the interval `Duration::ZERO`: the service does not start, and the log says why.

use std::ops::ControlFlow::{Break, Continue};
use std::time::Duration;

use service_runtime::prelude::*;
use service_runtime::retry::{ExponentialBuilder, Retryable};
use service_runtime::tasks::{Backoff, LoopEnd, SelfPaced, TaskGroup, Timer};
use tokio::time::sleep;

const SHORT: Duration = Duration::from_millis(200);
const SECOND: Duration = Duration::from_secs(1);

#[service]
struct Timers;

#[service]
impl Timers {
    #[start]
    fn start_timers(&self, cx: &Context) -> Result<()> {
        fixed(cx.tasks())?;
        drain(cx.tasks())?;
        poll(cx.tasks())
    }

    #[run]
    async fn take_turns(&self, cx: &Context) -> Result<()> {
        connect(cx.tasks()).await?;
        fetch().await?;
        beat(cx.tasks()).await?;
        // The end of this hook would be the end of the service.
        cx.stopping().await;
        Ok(())
    }
}

/// Runs at fixed times, which do not drift however long a run takes.
fn fixed(tasks: &TaskGroup) -> Result<()> {
    let mut tick = 0;
    tasks.timer("fixed", Timer::every(SECOND), move || {
        tick += 1;
        async move {
            tracing::info!("fixed: tick {tick}");
            if tick == 3 {
                sleep(SECOND * 2).await;
            }
        }
    })?;
    Ok(())
}

/// Runs when the run before says, at the latest each second, and ends early with a value.
fn drain(tasks: &TaskGroup) -> Result<()> {
    let mut jobs = 0;
    let drain = tasks.self_paced("drain", SelfPaced::at_most(SECOND), move || {
        jobs += 1;
        async move {
            match jobs {
                ..3 => Continue(SHORT * jobs),
                _ => Break(jobs),
            }
        }
    })?;
    tasks.try_spawn("jobs", async move {
        match drain.wait().await {
            Ok(Ok(LoopEnd::Value(jobs))) => tracing::info!("drain: {jobs} jobs done"),
            end => tracing::warn!("drain: {end:?}"),
        }
    })?;
    Ok(())
}

/// Runs until its time is over. `on_done` is called however it ends.
fn poll(tasks: &TaskGroup) -> Result<()> {
    let poll = tasks.timer("poll", Timer::every(SHORT).timeout(SECOND * 2), || async {
        anyhow::ensure!(fastrand_like(), "nothing there");
        Ok(())
    })?;
    poll.on_done(|end| tracing::info!("poll: {end:?}"));
    Ok(())
}
