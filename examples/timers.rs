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
//! - `poll` fails, which is logged, and goes on until its two seconds are over.
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
use service_runtime::tasks::retry::ExponentialBuilder;
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
        poll(cx.tasks())
    }

    #[run]
    async fn take_turns(&self, cx: &Context) -> Result<()> {
        drain(cx.tasks()).await?;
        connect(cx.tasks()).await?;
        fetch(cx.tasks()).await;
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

/// Runs until its time is over; its errors are logged, and it goes on.
fn poll(tasks: &TaskGroup) -> Result<()> {
    let two_seconds = Timer::every(SECOND).timeout(SECOND * 2);
    let mut poll = tasks.timer("poll", two_seconds, || async {
        anyhow::bail!("nothing there") as Result<()>
    })?;
    poll.on_done(|end| tracing::info!("poll: {end:?}"));
    Ok(())
}

/// Runs when the run before said, at the latest each second, and ends early with a value.
async fn drain(tasks: &TaskGroup) -> Result<()> {
    let mut job = 0;
    let drain = tasks.self_paced("drain", SelfPaced::at_most(SECOND), move || {
        job += 1;
        async move {
            match job {
                ..4 => Continue(SHORT * job),
                _ => Break(job),
            }
        }
    })?;
    if let LoopEnd::Value(jobs) = drain.wait().await?? {
        tracing::info!("drain: {jobs} jobs done");
    }
    Ok(())
}

/// Waits longer and longer while its runs fail.
async fn connect(tasks: &TaskGroup) -> Result<()> {
    let mut tries = 0;
    let slower_and_slower = Backoff::starting_at(SHORT).max(SECOND);
    let connect = tasks.backoff("connect", slower_and_slower, move || {
        tries += 1;
        async move {
            anyhow::ensure!(tries > 2, "refused");
            Ok(Break::<_, ()>(tries))
        }
    })?;
    if let LoopEnd::Value(tries) = connect.wait().await?? {
        tracing::info!("connect: connected at try {tries}");
    }
    Ok(())
}

/// Tries one call again, while it makes sense: no loop, and no task of its own.
async fn fetch(tasks: &TaskGroup) {
    let mut answers = [Err("busy"), Err("busy"), Ok("a page")].into_iter();
    let delays = ExponentialBuilder::default().with_min_delay(SHORT);
    let is_busy = |error: &&str| *error == "busy";
    let page = tasks.retry(delays, is_busy, || {
        let answer = answers.next().unwrap_or(Err("gone"));
        async move { answer }
    });
    match page.await {
        Ok(page) => tracing::info!("fetch: got {page}"),
        Err(error) => tracing::warn!("fetch: {:#}", anyhow::Error::from(error)),
    }
}

/// Is stopped through its handle, between two runs.
async fn beat(tasks: &TaskGroup) -> Result<()> {
    let beat = tasks.timer("beat", Timer::every(SHORT), || async {})?;
    sleep(SECOND).await;
    beat.stop();
    tracing::info!("beat: {:?}", beat.wait().await??);
    Ok(())
}

#[launch(workers = 1)]
fn main() -> Timers {
    Timers
}
