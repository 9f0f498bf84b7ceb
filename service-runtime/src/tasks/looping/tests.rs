//! Timers and loops, in paused time.

use std::future::pending;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, sleep, timeout};

use super::*;
use crate::tasks::testing::warnings;
use crate::tasks::{FailureCause, PeriodicError, TaskError, TaskGroup, TaskInfo};

const SECOND: Duration = Duration::from_secs(1);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Starts a timer whose run number n takes `run(n)`; tells when each begins, from the start.
fn timer(
    group: &TaskGroup,
    timer: Timer,
    run: impl Fn(usize) -> Duration + Send + 'static,
) -> UnboundedReceiver<u64> {
    let (start, (tell, told)) = (Instant::now(), unbounded_channel());
    let mut n = 0;
    let turn = move || {
        n += 1;
        tell.send(u64::try_from(start.elapsed().as_millis()).unwrap())
            .ok();
        sleep(run(n))
    };
    drop(group.timer("t", timer, turn).unwrap());
    told
}

async fn panics(message: &str) {
    panic!("{message}");
}

async fn take<T>(told: &mut UnboundedReceiver<T>, count: usize) -> Vec<T> {
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
async fn ticks_do_not_drift_however_long_runs_take() {
    let group = TaskGroup::new("g");
    let mut told = timer(&group, Timer::every(SECOND), |n| ms(n as u64 * 7 % 900));
    let expected: Vec<_> = (0..100).map(|n| n * 1000).collect();
    assert_eq!(take(&mut told, 100).await, expected);
    assert_eq!(only(&group).skipped, 0);
}

#[tokio::test(start_paused = true)]
async fn ticks_that_fall_into_a_run_are_skipped_and_counted() {
    let group = TaskGroup::new("g");
    let mut told = timer(&group, Timer::every(SECOND), |n| {
        if n == 2 { ms(2500) } else { ms(1) }
    });
    assert_eq!(take(&mut told, 4).await, [0, 1000, 4000, 5000]);
    let info = only(&group);
    assert_eq!((info.runs, info.skipped, info.failures), (4, 2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_tick_at_the_very_end_of_a_run_is_not_missed() {
    let group = TaskGroup::new("g");
    let mut told = timer(&group, Timer::every(SECOND), |_| SECOND);
    assert_eq!(take(&mut told, 3).await, [0, 1000, 2000]);
    assert_eq!(only(&group).skipped, 0);
}

#[tokio::test(start_paused = true)]
async fn of_ticks_that_could_not_be_woken_for_the_latest_runs() {
    let group = TaskGroup::new("g");
    let mut told = timer(&group, Timer::every(SECOND), |_| ms(0));
    assert_eq!(take(&mut told, 1).await, [0]);
    tokio::time::advance(ms(3400)).await;
    assert_eq!(take(&mut told, 2).await, [3400, 4000]);
    assert_eq!(only(&group).skipped, 2);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_outlasts_its_interval_is_warned_of() {
    let (warned, _guard) = warnings();
    let group = TaskGroup::new("g");
    let mut told = timer(&group, Timer::every(SECOND), |n| {
        if n == 2 { ms(1500) } else { ms(999) }
    });
    take(&mut told, 2).await;
    assert_eq!(*warned.lock().unwrap(), Vec::<String>::new());
    take(&mut told, 2).await;
    let warned = warned.lock().unwrap();
    assert_eq!(warned.len(), 1);
    let expected =
        r#"a run outlasted its interval group="g" task="t" took=1.5s interval=1s missed=1"#;
    assert_eq!(warned[0], expected);
}

#[tokio::test(start_paused = true)]
async fn a_report_tells_of_runs_past_present_and_due() {
    let (group, start) = (TaskGroup::new("g"), Instant::now());
    let mut told = timer(&group, Timer::every(SECOND).initial_delay(ms(300)), |_| {
        ms(100)
    });
    let info = only(&group);
    assert_eq!(
        (info.last_run, info.next_run, info.running_since),
        (None, Some(start + ms(300)), None)
    );
    take(&mut told, 1).await;
    let (info, begun) = (only(&group), Some(start + ms(300)));
    assert_eq!(
        (info.last_run, info.next_run, info.running_since),
        (begun, None, begun)
    );
    sleep(ms(150)).await;
    let (info, next) = (only(&group), Some(start + ms(1300)));
    assert_eq!(
        (info.last_run, info.next_run, info.running_since),
        (begun, next, None)
    );
}

#[tokio::test(start_paused = true)]
async fn a_timer_ends_early_with_a_value() {
    let group = TaskGroup::new("g");
    let mut n = 0;
    let timer = group.timer("t", Timer::every(SECOND), move || {
        n += 1;
        async move {
            if n < 3 {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(n)
            }
        }
    });
    let start = Instant::now();
    assert_eq!(
        timer.unwrap().wait().await.unwrap().unwrap().value(),
        Some(3)
    );
    assert_eq!((start.elapsed(), group.len()), (2 * SECOND, 0));
}

#[tokio::test(start_paused = true)]
async fn a_timer_that_waits_ends_at_once_when_stopped_or_cancelled() {
    let group = TaskGroup::new("g");
    let start = Instant::now();
    let hour = || Timer::every(3600 * SECOND).initial_delay(3600 * SECOND);
    let stopped = group.timer("s", hour(), || async {}).unwrap();
    let cancelled = group.timer("c", hour(), || async {}).unwrap();
    let grouped = group.timer("g", hour(), || async {}).unwrap();
    sleep(SECOND).await;
    stopped.stop();
    assert_eq!(stopped.wait().await.unwrap().unwrap(), LoopEnd::Stopped);
    cancelled.cancel();
    assert_eq!(
        cancelled.wait().await.unwrap_err(),
        TaskError::Cancelled { task: "c".into() }
    );
    group.stop(true);
    group.wait().await;
    assert_eq!(grouped.wait().await.unwrap().unwrap(), LoopEnd::Stopped);
    assert_eq!(start.elapsed(), SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_timer_stopped_before_its_first_poll_never_runs() {
    let group = TaskGroup::new("g");
    let timer = group
        .timer("t", Timer::every(SECOND), || panics("ran"))
        .unwrap();
    group.stop(true);
    assert_eq!(timer.wait().await.unwrap().unwrap(), LoopEnd::Stopped);
}

#[tokio::test(start_paused = true)]
async fn a_timer_that_runs_ends_after_the_run_when_stopped_and_within_it_when_cancelled() {
    let group = TaskGroup::new("g");
    let ended = Arc::new(AtomicUsize::new(0));
    let start = |name| {
        let ended = Arc::clone(&ended);
        let run = move || {
            let ended = Arc::clone(&ended);
            async move {
                sleep(10 * SECOND).await;
                ended.fetch_add(1, Ordering::SeqCst);
            }
        };
        group.timer(name, Timer::every(60 * SECOND), run).unwrap()
    };
    let (begin, stopped, cancelled) = (Instant::now(), start("s"), start("c"));
    sleep(SECOND).await;
    stopped.stop();
    cancelled.cancel();
    cancelled.wait().await.unwrap_err();
    assert_eq!(begin.elapsed(), SECOND);
    assert_eq!(stopped.wait().await.unwrap().unwrap(), LoopEnd::Stopped);
    assert_eq!(
        (begin.elapsed(), ended.load(Ordering::SeqCst)),
        (10 * SECOND, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_timeout_ends_a_timer_that_waits_and_one_that_runs() {
    let group = TaskGroup::new("g");
    let start = Instant::now();
    let waits = group.timer(
        "w",
        Timer::every(60 * SECOND).timeout(90 * SECOND),
        || async {},
    );
    let hangs = group.timer(
        "h",
        Timer::every(SECOND).timeout(90 * SECOND),
        pending::<()>,
    );
    for timer in [waits.unwrap(), hangs.unwrap()] {
        let error = timer.wait().await.unwrap().unwrap_err();
        assert_eq!(
            (error.to_string(), start.elapsed()),
            ("timed out after 1m 30s".into(), 90 * SECOND)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_is_logged_ends_the_timer_or_is_reported_as_the_policy_says() {
    let (warned, _guard) = warnings();
    let group = TaskGroup::new("g");
    let failed = Arc::new(Mutex::new(Vec::new()));
    let failures = Arc::clone(&failed);
    group.on_failure(move |failure| failures.lock().unwrap().push(failure.message()));
    let start = |name, policy| {
        let run = || async { Err::<(), _>(anyhow::anyhow!("refused").context("cannot dial")) };
        group
            .timer(name, Timer::every(SECOND).on_error(policy), run)
            .unwrap()
    };
    let goes_on = start("a", PeriodicOnError::Continue);
    let stops = start("b", PeriodicOnError::Stop);
    let fails = start("c", PeriodicOnError::Fail);
    for ended in [stops, fails] {
        let LoopError::Failed(error) = ended.wait().await.unwrap().unwrap_err() else {
            panic!()
        };
        assert_eq!(format!("{error:#}"), "cannot dial: refused");
    }
    sleep(ms(2500)).await;
    assert!(!goes_on.is_done());
    assert_eq!((only(&group).runs, only(&group).failures), (3, 3));
    assert_eq!(*failed.lock().unwrap(), ["cannot dial: refused"]);
    assert_eq!(warned.lock().unwrap().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_panic_ends_the_loop_and_is_reported() {
    let group = TaskGroup::new("g");
    let (tell, told) = std::sync::mpsc::channel();
    group.on_failure(move |failure| tell.send(failure.to_string()).unwrap());
    let timer = group
        .timer("t", Timer::every(SECOND), || panics("no"))
        .unwrap();
    let error = timer.wait().await.unwrap_err();
    assert_eq!(
        error,
        TaskError::Panicked {
            task: "t".into(),
            message: "no".into()
        }
    );
    assert_eq!(told.try_recv().unwrap(), "timer `t` of `g` panicked: no");
}

#[tokio::test(start_paused = true)]
async fn a_timer_that_times_out_is_logged_if_nobody_is_told() {
    let (warned, _guard) = warnings();
    let group = TaskGroup::new("g");
    let timer = Timer::every(SECOND).timeout(ms(1500));
    let timer = group.timer("t", timer, || async {}).unwrap();
    timer.wait().await.unwrap().unwrap_err();
    let warned = warned.lock().unwrap();
    let [line] = &warned[..] else {
        panic!("{warned:?}")
    };
    assert!(
        line.starts_with("a timer ends, because it timed out"),
        "{line}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_timer_that_times_out_is_reported_if_the_policy_is_to_fail() {
    let group = TaskGroup::new("g");
    let (tell, told) = std::sync::mpsc::channel();
    group.on_failure(move |failure| {
        assert!(matches!(failure.cause, FailureCause::TimedOut(_)));
        tell.send(failure.to_string()).unwrap();
    });
    let timer = Timer::every(SECOND)
        .timeout(ms(1500))
        .on_error(PeriodicOnError::Fail);
    let timer = group.timer("t", timer, || async {}).unwrap();
    timer.wait().await.unwrap().unwrap_err();
    assert_eq!(
        told.try_recv().unwrap(),
        "timer `t` of `g` timed out after 1s 500ms"
    );
}

#[tokio::test]
async fn settings_without_sense_and_stopped_groups_are_refused() {
    let group = TaskGroup::new("g");
    let zero = group
        .timer("t", Timer::every(Duration::ZERO), || async {})
        .unwrap_err();
    assert!(matches!(zero, PeriodicError::Interval));
    let zero = group.self_paced("t", SelfPaced::at_most(Duration::ZERO), || async { SECOND });
    assert!(matches!(zero.unwrap_err(), PeriodicError::Interval));
    let wrong = [
        Backoff::starting_at(SECOND).factor(0.5),
        Backoff::starting_at(SECOND).factor(f64::NAN),
        Backoff::starting_at(SECOND).jitter(1.5),
        Backoff::starting_at(SECOND).min(2 * SECOND).max(SECOND),
    ];
    for backoff in wrong {
        let error = group.backoff("t", backoff, || async {}).unwrap_err();
        assert!(matches!(error, PeriodicError::Setting(_)), "{error}");
    }
    group.stop(true);
    let late = group
        .timer("t", Timer::every(SECOND), || async {})
        .unwrap_err();
    assert_eq!(
        late.to_string(),
        "cannot start task `t`: group `g` is stopping"
    );
}

#[tokio::test(start_paused = true)]
async fn loops_take_no_room_from_the_limit() {
    let group = TaskGroup::with_limit("g", std::num::NonZeroUsize::MIN);
    let _timer = group.timer("t", Timer::every(SECOND), || async {}).unwrap();
    group
        .try_spawn("a", async {})
        .unwrap()
        .wait()
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_interval_without_end_is_waited_for_without_overflow() {
    let group = TaskGroup::new("g");
    let timer = group
        .timer("t", Timer::every(Duration::MAX), || async {})
        .unwrap();
    timeout(SECOND, timer).await.unwrap_err();
    assert_eq!(only(&group).runs, 1);
}
