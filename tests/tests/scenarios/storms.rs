//! Signals and deaths in quick succession.

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use tests::fixture;
use tests::harness::{Crowd, Fixture, NotifySocket, Target, until};

use super::{NOISE, Over};

/// Returns the children of a process, those that have ended and are not reaped included.
fn kin(pid: Pid) -> BTreeSet<i32> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let text = text.unwrap_or_default();
    text.split_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .collect()
}

#[test]
fn a_stop_in_the_middle_of_a_respawn_storm_takes_less_than_a_second_and_nobody_is_born_after_it() {
    for round in 0..5 {
        let greeter = fixture!("greeter")
            .args(["--workers", "4", "--healthy-after", "0s"])
            .start();
        greeter.ready(4);
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let ends = Over(&over);
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    for pid in kin(greeter.pid()) {
                        let _ = signal::kill(Pid::from_raw(pid), Signal::SIGKILL);
                    }
                }
            });
            for _ in 0..20 {
                greeter.wait_for("worker died");
            }
            let told = Instant::now();
            greeter.signal(Signal::SIGTERM);
            greeter.wait_for("TERM: stops gracefully");
            let known = kin(greeter.pid());
            let mut born = BTreeSet::new();
            while !greeter.has_ended() {
                born.extend(kin(greeter.pid()).difference(&known).copied());
            }
            drop(ends);
            let took = told.elapsed();
            assert!(
                took < Duration::from_secs(1) * NOISE,
                "round {round}: {took:?}"
            );
            assert!(
                born.is_empty(),
                "round {round}: born after the stop: {born:?}"
            );
        });
        greeter.everybody_is_gone();
        let lines = greeter.lines().all();
        let stop = lines
            .iter()
            .position(|line| line.contains("TERM: stops gracefully"));
        let after = lines.iter().skip(stop.expect("it was told"));
        let replaced: Vec<_> = after.filter(|line| line.contains("worker died")).collect();
        assert!(replaced.is_empty(), "{replaced:?}");
    }
}

/// Sends many HUPs, and checks what comes of them.
#[track_caller]
fn hup_storm(echo: &Fixture, workers: usize, hups: usize, apart: Duration) {
    let old = echo.ready(workers);
    let crowd = Crowd::begin(&Target::of(echo), 4, Duration::from_millis(5));
    crowd.goes_on_for(50);
    let (over, peak) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        let _ends = Over(&over);
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                peak.fetch_max(1 + kin(echo.pid()).len(), Ordering::Relaxed);
            }
        });
        echo.rewrite("[echo]\nside = false\n");
        for hup in 0..hups {
            if hup + 1 == hups {
                // What is in place before the last one has to be in place in the end.
                echo.rewrite("[echo]\nside = true\n");
            }
            echo.signal(Signal::SIGHUP);
            thread::sleep(apart);
        }
        // The side thread, beside the runtime's and the warden's.
        let has_side = |pid: Pid| {
            let threads = fs::read_dir(format!("/proc/{pid}/task"));
            threads.is_ok_and(|threads| threads.count() == 3)
        };
        until("every worker has the last file", || {
            let children = echo.children();
            children.len() == workers && children.into_iter().all(has_side)
        });
    });
    let reloads = echo.lines().with("reload begins").len();
    assert!((1..=2).contains(&reloads), "{reloads} reloads");
    let new = echo.settles(workers);
    let newest = reloads as u64 + 1;
    assert!(
        new.iter().all(|worker| worker.generation == newest),
        "{new:?}"
    );
    assert!(
        new.iter()
            .all(|new| old.iter().all(|old| old.pid != new.pid))
    );
    crowd.goes_on_for(50);
    crowd.end().is_whole();
    assert!(echo.lines().with("worker died").is_empty());
    let peak = peak.into_inner();
    assert!(peak <= 2 * workers + 2, "{peak} processes");
    echo.signal(Signal::SIGTERM);
    assert_eq!(echo.exit_code(), 0);
    echo.everybody_is_gone();
}

#[test]
fn fifty_hups_in_250_ms_are_at_most_two_reloads_and_lose_nothing() {
    let five = Duration::from_millis(5);
    let quick = fixture!("echo").config("[echo]\n").start();
    hup_storm(&quick, 2, 50, five);
    let slow = ["--workers", "4", "--set", "echo.boot=150ms"];
    let slow = fixture!("echo").args(slow).config("[echo]\n").start();
    hup_storm(&slow, 4, 50, five);
}

#[test]
fn a_thousand_hups_are_at_most_two_reloads_and_lose_nothing() {
    let echo = fixture!("echo").config("[echo]\n").start();
    hup_storm(&echo, 2, 1000, Duration::from_micros(500));
}

#[test]
fn term_at_every_moment_of_the_first_second_ends_everybody() {
    // Workers need 300 ms each and come one after the other into the log, READY and a reload included.
    thread::scope(|scope| {
        for first in 0..4 {
            scope.spawn(move || {
                for milliseconds in (first * 10..1000).step_by(40) {
                    term_after(milliseconds);
                }
            });
        }
    });
}

fn term_after(milliseconds: u64) {
    let manager = NotifySocket::path();
    let echo = fixture!("echo")
        .args([
            "--set",
            "echo.boot=300ms",
            "--graceful-shutdown-timeout",
            "10s",
        ])
        .env("NOTIFY_SOCKET", manager.name())
        .start();
    // The moment of the signal is what this is about.
    thread::sleep(Duration::from_millis(milliseconds / 2));
    if milliseconds > 200 {
        echo.signal(Signal::SIGHUP);
    }
    thread::sleep(Duration::from_millis(milliseconds - milliseconds / 2));
    let told = Instant::now();
    echo.signal(Signal::SIGTERM);
    let status = echo.exit_status();
    assert!(
        told.elapsed() < Duration::from_secs(10),
        "{milliseconds} ms"
    );
    echo.everybody_is_gone();
    let messages = manager.close();
    if messages.is_empty() {
        // Before `main` has begun nobody can handle a signal, and there is nothing to stop.
        assert!(
            !status.success() && echo.lines().all().is_empty(),
            "{milliseconds} ms: {status}"
        );
        return;
    }
    assert_eq!(status.code(), Some(0), "{milliseconds} ms");
    let last = |text: &str| messages.iter().rposition(|message| message.contains(text));
    let stopping = last("STOPPING=1").expect("a stop is told");
    assert!(
        last("READY=1").is_none_or(|ready| ready < stopping),
        "{messages:#?}"
    );
    assert!(
        echo.lines().with(": killed").is_empty(),
        "{milliseconds} ms"
    );
}
