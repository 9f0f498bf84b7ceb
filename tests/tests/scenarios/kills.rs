//! Workers killed under load, and all of them just before a stop.

use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tests::fixture;
use tests::harness::{Crowd, Habit, Target, Worker, field, kill, stamp};

use super::{NOISE, since, time_of_day};

/// How soon a killed worker is replaced.
const REPLACED: Duration = Duration::from_millis(200);

#[test]
fn five_workers_killed_under_load_are_replaced_at_once_and_only_what_they_served_fails() {
    let clients = 8;
    let echo = fixture!("echo").args(["--workers", "4"]).start();
    echo.ready(4);
    let crowd = Crowd::with(
        &Target::of(&echo),
        clients,
        Duration::from_millis(1),
        Habit::Twice,
    );
    let mut killed = Vec::new();
    for _ in 0..5 {
        // So far apart that no worker dies early, and always in the same slot.
        thread::sleep(Duration::from_millis(1500));
        crowd.goes_on_for(100);
        let victim = echo.settles(4)[1];
        let (at, moment) = (time_of_day(), Instant::now());
        kill(victim.pid, Signal::SIGKILL);
        let died = echo.wait_for("worker died");
        assert_eq!(Worker::of(&died), victim);
        assert_eq!(field::<String>(&died, "next"), "at once");
        let ready = echo.wait_for("worker ready slot=1 ");
        let took = since(at, stamp(&ready));
        assert!(took < REPLACED * NOISE, "replaced after {took:?}");
        println!("replaced after {took:?}");
        killed.push((victim.pid, moment));
    }
    crowd.goes_on_for(100);
    let tally = crowd.end();
    println!(
        "{} of {} requests failed",
        tally.failures.len(),
        tally.asked
    );
    assert!(tally.failures.len() <= clients * killed.len(), "{tally:#?}");
    for failure in &tally.failures {
        let in_flight = killed.iter().any(|(pid, at)| match failure.by {
            Some(by) => by == *pid,
            // A connection that was taken and not answered once: begun before the kill, or while it
            // was on its way.
            None => failure.at <= *at + REPLACED && failure.at + Duration::from_secs(5) > *at,
        });
        assert!(in_flight, "{failure:?}");
    }
}

#[test]
fn a_stop_right_after_the_death_of_all_workers_is_quick_and_kills_nobody() {
    for milliseconds in (0..=120).step_by(10) {
        let greeter = fixture!("greeter").args(["--workers", "4"]).start();
        for worker in greeter.ready(4) {
            kill(worker.pid, Signal::SIGKILL);
        }
        // The moment is what this is about.
        thread::sleep(Duration::from_millis(milliseconds));
        let told = Instant::now();
        greeter.signal(Signal::SIGTERM);
        // Whether a worker that was just being born counts as stopped is a matter of luck.
        assert!(matches!(greeter.exit_code(), 0 | 1), "{milliseconds} ms");
        let took = told.elapsed();
        assert!(
            took < Duration::from_secs(1) * NOISE,
            "{milliseconds} ms: {took:?}"
        );
        greeter.everybody_is_gone();
        let killed = greeter.lines().with(": killed");
        assert!(killed.is_empty(), "{milliseconds} ms: {killed:?}");
    }
}
