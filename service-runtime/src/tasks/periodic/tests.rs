//! Periodic tasks with an interval, in paused time.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, sleep};

use super::*;
use crate::tasks::TaskInfo;

const SECOND: Duration = Duration::from_secs(1);

/// Starts a task whose runs take a while; tells when each begins, from the start.
fn start(group: &TaskGroup, periodic: Periodic, takes: Duration) -> UnboundedReceiver<u64> {
    let (start, (tell, told)) = (Instant::now(), unbounded_channel());
    let run = move || {
        tell.send(u64::try_from(start.elapsed().as_millis()).unwrap())
            .ok();
        async move {
            sleep(takes).await;
            Ok(())
        }
    };
    drop(group.periodic("p", periodic, run).unwrap());
    told
}

async fn take(told: &mut UnboundedReceiver<u64>, count: usize) -> Vec<u64> {
    let mut taken = Vec::new();
    for _ in 0..count {
        taken.push(told.recv().await.unwrap());
    }
    taken
}

fn only(group: &TaskGroup) -> TaskInfo {
    group.tasks().pop().unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_first_run_comes_after_an_interval_or_immediately() {
    let group = TaskGroup::new("g");
    let mut later = start(&group, Periodic::every(SECOND), Duration::ZERO);
    let mut now = start(
        &group,
        Periodic::every(SECOND).immediately(true),
        Duration::ZERO,
    );
    assert_eq!(take(&mut later, 3).await, [1000, 2000, 3000]);
    assert_eq!(take(&mut now, 3).await, [0, 1000, 2000]);
}

#[tokio::test(start_paused = true)]
async fn a_task_never_overlaps_itself() {
    let group = TaskGroup::new("g");
    let running = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let (runs, peak) = (Arc::clone(&running), Arc::clone(&most));
    let run = move || {
        let (running, most) = (Arc::clone(&runs), Arc::clone(&peak));
        async move {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            sleep(7 * SECOND / 2).await;
            running.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        }
    };
    let _task = group.periodic("p", Periodic::every(SECOND), run).unwrap();
    sleep(60 * SECOND).await;
    let info = only(&group);
    assert_eq!(most.load(Ordering::SeqCst), 1);
    // Runs begin at 1, 5, 9, … 57; the ticks 2, 3, 4 and so on fall into them.
    assert_eq!(
        (info.runs, info.skipped, info.kind),
        (15, 42, TaskKind::Periodic)
    );
}

#[tokio::test(start_paused = true)]
async fn jitter_delays_runs_and_leaves_the_ticks_where_they_are() {
    let group = TaskGroup::new("g");
    let periodic = Periodic::every(10 * SECOND).jitter(4 * SECOND);
    let mut told = start(&group, periodic, SECOND);
    for (begun, tick) in take(&mut told, 500).await.into_iter().zip(1..) {
        let tick = tick * 10_000;
        assert!(
            (tick..=tick + 4_001).contains(&begun),
            "{begun} belongs to {tick}"
        );
    }
    assert_eq!(only(&group).skipped, 0);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_not_enabled_ends_at_once_and_its_settings_are_checked() {
    let group = TaskGroup::new("g");
    let never = || async { panic!("ran") as anyhow::Result<()> };
    let off = group
        .periodic("p", Periodic::every(SECOND).enabled(false), never)
        .unwrap();
    off.wait().await.unwrap();
    let wrong = group.periodic("p", Periodic::every(Duration::ZERO).enabled(false), never);
    assert!(matches!(wrong.unwrap_err(), PeriodicError::Interval));
    group.stop(true);
    let late = group
        .periodic("p", Periodic::every(SECOND), never)
        .unwrap_err();
    assert!(matches!(late, PeriodicError::Spawn(_)));
}

#[tokio::test(start_paused = true)]
async fn an_error_is_passed_over_or_ends_the_task_or_is_reported_too() {
    let group = TaskGroup::new("g");
    let failed = Arc::new(Mutex::new(Vec::new()));
    let failures = Arc::clone(&failed);
    group.on_failure(move |failure| failures.lock().unwrap().push(failure.task.to_string()));
    let start = |name, policy| {
        let periodic = Periodic::every(SECOND).on_error(policy);
        group
            .periodic(name, periodic, || async { anyhow::bail!("refused") })
            .unwrap()
    };
    let goes_on = start("a", PeriodicOnError::Continue);
    let stops = start("b", PeriodicOnError::Stop);
    let fails = start("c", PeriodicOnError::Fail);
    stops.wait().await.unwrap();
    fails.wait().await.unwrap();
    sleep(SECOND * 3 / 2).await;
    assert!(!goes_on.is_done());
    assert_eq!((only(&group).runs, only(&group).failures), (2, 2));
    assert_eq!(*failed.lock().unwrap(), ["c"]);
}

#[tokio::test(start_paused = true)]
async fn a_gate_lets_runs_through_and_its_guard_is_held_while_they_last() {
    let group = TaskGroup::new("g");
    let (open, guard) = (Arc::new(AtomicBool::new(false)), Arc::new(()));
    let (asked, held) = (Arc::clone(&open), Arc::clone(&guard));
    let gate = Gate::new(move || asked.load(Ordering::SeqCst).then(|| Arc::clone(&held)));
    let mut told = start(&group, Periodic::every(SECOND).gate(gate), SECOND / 2);
    sleep(SECOND * 5 / 2).await;
    let idle = Arc::strong_count(&guard);
    assert_eq!(
        (only(&group).runs, only(&group).gated, only(&group).skipped),
        (0, 2, 0)
    );
    open.store(true, Ordering::SeqCst);
    assert_eq!(take(&mut told, 1).await, [3000]);
    assert_eq!(Arc::strong_count(&guard), idle + 1);
    sleep(SECOND * 3 / 4).await;
    assert_eq!(Arc::strong_count(&guard), idle);
    assert_eq!((only(&group).runs, only(&group).gated), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn the_guard_is_given_back_when_a_run_is_cancelled() {
    let group = TaskGroup::new("g");
    let guard = Arc::new(());
    let held = Arc::clone(&guard);
    let periodic = Periodic::every(SECOND).gate(Gate::new(move || Some(Arc::clone(&held))));
    let mut told = start(&group, periodic, 60 * SECOND);
    take(&mut told, 1).await;
    assert_eq!(Arc::strong_count(&guard), 3);
    group.stop(false);
    group.wait().await;
    assert_eq!(Arc::strong_count(&guard), 1);
}
