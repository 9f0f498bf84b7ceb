//! Back-off loops: bounds for any settings, and courses in paused time.

use std::ops::ControlFlow;

use proptest::prelude::*;
use tokio::sync::mpsc::unbounded_channel;

use super::*;
use crate::tasks::LoopError;

const SECOND: Duration = Duration::from_secs(1);

/// Runs a loop whose runs go as `course` says, and tells when each began.
async fn course(backoff: Backoff, course: &'static [bool]) -> (Vec<u64>, Result<(), LoopError>) {
    let group = TaskGroup::new("g");
    let (start, (tell, mut told)) = (Instant::now(), unbounded_channel());
    let mut runs = course.iter();
    let run = move || {
        tell.send(start.elapsed().as_secs()).unwrap();
        let went = runs.next();
        async move {
            match went {
                None => Ok(ControlFlow::Break(())),
                Some(true) => Ok(ControlFlow::Continue(())),
                Some(false) => Err(anyhow::anyhow!("refused")),
            }
        }
    };
    let end = group
        .backoff("b", backoff, run)
        .unwrap()
        .wait()
        .await
        .unwrap();
    let mut begun = Vec::new();
    while let Ok(at) = told.try_recv() {
        begun.push(at);
    }
    (begun, end.map(|end| assert_eq!(end.value(), Some(()))))
}

#[tokio::test(start_paused = true)]
async fn intervals_grow_while_runs_fail_and_start_again_after_a_success() {
    let backoff = Backoff::starting_at(SECOND).jitter(0.0).max(5 * SECOND);
    let (begun, end) = course(backoff, &[false, false, false, false, true, false, false]).await;
    end.unwrap();
    assert_eq!(begun, [0, 1, 3, 7, 12, 13, 14, 16]);
}

#[tokio::test(start_paused = true)]
async fn the_minimum_holds_for_every_wait() {
    let backoff = Backoff::starting_at(SECOND)
        .jitter(0.0)
        .min(3 * SECOND)
        .initial_delay(SECOND);
    let (begun, end) = course(backoff, &[true, false, false, false]).await;
    end.unwrap();
    assert_eq!(begun, [1, 4, 7, 10, 14]);
}

#[tokio::test(start_paused = true)]
async fn failing_for_too_long_times_out_with_the_last_error() {
    let backoff = Backoff::starting_at(SECOND)
        .jitter(0.0)
        .max_error_time(10 * SECOND);
    let (begun, end) = course(backoff, &[false; 10]).await;
    // The next would have been at 15.
    assert_eq!(begun, [0, 1, 3, 7]);
    let LoopError::TimedOut { after, error } = end.unwrap_err() else {
        panic!("not a time-out")
    };
    assert_eq!(
        (after, error.unwrap().to_string()),
        (10 * SECOND, "refused".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn a_success_takes_the_error_time_back() {
    let backoff = Backoff::starting_at(SECOND)
        .jitter(0.0)
        .max_error_time(4 * SECOND);
    let (begun, end) = course(backoff, &[false, false, true, false, false, true, false]).await;
    end.unwrap();
    assert_eq!(begun, [0, 1, 3, 4, 5, 7, 8, 9]);
}

fn curves() -> impl Strategy<Value = Curve> {
    (
        1_u64..100_000,
        1.0..10.0,
        0.0..=1.0,
        0_u64..200_000,
        1_u64..1_000_000,
    )
        .prop_map(|(start, factor, jitter, min, more)| {
            let ms = Duration::from_millis;
            Curve {
                growth: crate::backoff::Backoff {
                    first: ms(start),
                    factor,
                    longest: ms(min + more),
                },
                jitter,
                min: ms(min),
            }
        })
}

proptest! {
    #[test]
    fn every_wait_lies_within_its_jitter_and_between_minimum_and_maximum(
        curve in curves(), chances in prop::collection::vec(0.0..1.0, 1..40),
    ) {
        prop_assert!(curve.check().is_ok());
        let mut step = curve.growth.first;
        for chance in chances {
            let wait = curve.spread(step, chance);
            prop_assert!(curve.min <= wait && wait <= curve.growth.longest);
            let least = step.mul_f64(1.0 - curve.jitter).clamp(curve.min, curve.growth.longest);
            let most = step.mul_f64(1.0 + curve.jitter).clamp(curve.min, curve.growth.longest);
            let grain = Duration::from_micros(1);
            prop_assert!(least <= wait + grain && wait <= most + grain);
            let grown = curve.growth.next(step);
            prop_assert!(grown >= step.min(curve.growth.longest) && grown <= curve.growth.longest);
            step = grown;
        }
    }

    #[test]
    fn a_loop_times_out_before_a_wait_would_pass_its_error_time(
        curve in curves(), limit in 1_u64..1_000_000, took in 0_u64..10_000,
    ) {
        let (limit, took) = (Duration::from_millis(limit), Duration::from_millis(took));
        let start = Instant::now();
        let mut pace = Backing {
            step: curve.growth.first,
            curve,
            max_error_time: Some(limit),
            since: None,
        };
        let mut now = pace.first(start) + took;
        let first_failure = now;
        for _ in 0..1000 {
            match pace.after(now, now, Run::Failed) {
                Next::Run(due) => {
                    prop_assert!(due.at - first_failure <= limit);
                    now = due.at + took;
                }
                Next::TimedOut(after) => {
                    prop_assert_eq!(after, limit);
                    break;
                }
            }
        }
    }
}
