//! What a task group costs beside bare tokio.
//!
//! Each figure stands beside its reference, measured in the same run, turn by turn; printed are the
//! medians and their ratio, where 1.2 is the aim. Time is processor time, so that waiting for ticks
//! costs nothing and a neighbour's load little.
//!
//! Run with: `cargo bench -p service-runtime --bench tasks`, and after `--` with parts of the rows to
//! see only those.

use std::future::{Future, ready};
use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use service_runtime::tasks::{TaskGroup, Timer};
use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::task::TaskTracker;

const ROUNDS: usize = 9;
const TASKS: usize = 1_000_000;
/// Spawned before the next wait, so that memory does not decide.
const BATCH: usize = 1_000;
const TICK: Duration = Duration::from_millis(400);

fn main() {
    println!("medians of {ROUNDS} turns, processor time a task or tick\n");
    println!("{:<46}{:>10}{:>10}{:>8}", "", "bare", "group", "ratio");
    for (runtime, build) in [
        ("one thread", one_thread as fn() -> Runtime),
        ("two threads", two_threads),
    ] {
        let row = |what: &str, bare: fn() -> Work, group: fn() -> Work| {
            compare(&format!("{what}, {runtime}"), TASKS, build, bare, group);
        };
        row(
            "spawn, empty task",
            || Box::pin(bare_spawn(|| async {})),
            || Box::pin(group_spawn(|| async {})),
        );
        row(
            "spawn, task that yields",
            || Box::pin(bare_spawn(yield_now)),
            || Box::pin(group_spawn(yield_now)),
        );
        row(
            "spawn, and wait for each value",
            || Box::pin(bare_values()),
            || Box::pin(group_values()),
        );
    }
    compare(
        "10 ticks of 100 000 timers",
        1_000_000,
        one_thread,
        || Box::pin(bare_timers(100_000, 10)),
        || Box::pin(group_timers(100_000, 10)),
    );
    compare(
        "2 ticks of a million timers",
        2_000_000,
        one_thread,
        || Box::pin(bare_timers(1_000_000, 2)),
        || Box::pin(group_timers(1_000_000, 2)),
    );
}

type Work = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

fn one_thread() -> Runtime {
    Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime can be built")
}

fn two_threads() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .expect("a runtime can be built")
}

/// Measures both in turn and prints their medians, if the command line asks for it.
fn compare(
    what: &str,
    count: usize,
    build: fn() -> Runtime,
    bare: fn() -> Work,
    group: fn() -> Work,
) {
    let asked: Vec<_> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with("--"))
        .collect();
    if !asked.is_empty() && !asked.iter().any(|part| what.contains(part.as_str())) {
        return;
    }
    let (mut bares, mut groups) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        // Whoever comes second finds a warm cache: take turns.
        if round % 2 == 0 {
            bares.push(cpu(build, bare));
            groups.push(cpu(build, group));
        } else {
            groups.push(cpu(build, group));
            bares.push(cpu(build, bare));
        }
    }
    print(what, count, median(bares), median(groups));
}

fn print(what: &str, count: usize, bare: Duration, group: Duration) {
    let each = |time: Duration| time.as_nanos() as f64 / count as f64;
    let ratio = group.as_secs_f64() / bare.as_secs_f64();
    println!(
        "{what:<46}{:>7.0} ns{:>7.0} ns{ratio:>8.2}",
        each(bare),
        each(group)
    );
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn processor_time() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID)
        .expect("Linux has this clock")
        .into()
}

/// Runs the work as a task of a fresh runtime and returns the processor time that it took.
fn cpu(build: fn() -> Runtime, work: fn() -> Work) -> Duration {
    let runtime = build();
    let group = TaskGroup::new("bench");
    runtime.block_on(async {
        let before = processor_time();
        let done = group
            .spawn("work", work())
            .await
            .expect("the group is open");
        done.wait().await.expect("the work does not panic");
        processor_time() - before
    })
}

async fn bare_spawn<F: Future<Output = ()> + Send + 'static>(task: fn() -> F) {
    let tracker = TaskTracker::new();
    for _ in 0..TASKS / BATCH {
        for _ in 0..BATCH {
            drop(tracker.spawn(task()));
        }
        while !tracker.is_empty() {
            yield_now().await;
        }
    }
    tracker.close();
    tracker.wait().await;
}

async fn group_spawn<F: Future<Output = ()> + Send + 'static>(task: fn() -> F) {
    let group = TaskGroup::new("spawn");
    for _ in 0..TASKS / BATCH {
        for _ in 0..BATCH {
            drop(
                group
                    .spawn("task", task())
                    .await
                    .expect("the group is open"),
            );
        }
        while !group.is_empty() {
            yield_now().await;
        }
    }
    group.stop(true);
    group.wait().await;
}

async fn bare_values() {
    let tracker = TaskTracker::new();
    let mut handles = Vec::with_capacity(BATCH);
    for batch in 0..TASKS / BATCH {
        handles.extend((0..BATCH).map(|_| tracker.spawn(async move { batch })));
        for handle in handles.drain(..) {
            black_box(handle.await.expect("the task does not panic"));
        }
    }
}

async fn group_values() {
    let group = TaskGroup::new("values");
    let mut handles = Vec::with_capacity(BATCH);
    for batch in 0..TASKS / BATCH {
        for _ in 0..BATCH {
            handles.push(
                group
                    .spawn("task", async move { batch })
                    .await
                    .expect("the group is open"),
            );
        }
        for handle in handles.drain(..) {
            black_box(handle.wait().await.expect("the task does not panic"));
        }
    }
}

async fn bare_timers(timers: usize, ticks: u32) {
    let tracker = TaskTracker::new();
    for _ in 0..timers {
        tracker.spawn(async move {
            let mut interval = interval(TICK);
            interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
            for tick in 0..ticks {
                interval.tick().await;
                black_box(tick);
            }
        });
    }
    tracker.close();
    tracker.wait().await;
}

async fn group_timers(timers: usize, ticks: u32) {
    let group = TaskGroup::new("timers");
    for _ in 0..timers {
        let mut tick = 0;
        let run = move || {
            tick += 1;
            ready(if black_box(tick) == ticks {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            })
        };
        drop(
            group
                .timer("timer", Timer::every(TICK), run)
                .expect("the group is open"),
        );
    }
    // Not stopped before the timers have ended on their own: they are what is measured.
    while !group.is_empty() {
        sleep(TICK / 4).await;
    }
}
