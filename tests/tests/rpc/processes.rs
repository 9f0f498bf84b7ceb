//! Calls while workers are killed, replaced and stopped.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use tests::harness::{Fixture, field, kill, until};

use super::place::Place;
use super::{Caller, program};

/// A program that is called, and one that calls.
fn two(place: &Place) -> (Fixture, Fixture) {
    let callee = program(place, "callee").start();
    callee.ready(2);
    let caller = program(place, "caller").start();
    caller.ready(2);
    (callee, caller)
}

/// Calls from several connections while something happens; returns every answer that is no number.
fn failures_during(caller: &Fixture, order: &str, event: impl FnOnce(&AtomicU64)) -> Vec<String> {
    let (over, answered) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let mut caller = Caller::of(caller);
                    let mut failed = Vec::new();
                    while !over.load(Ordering::Relaxed) {
                        let answer = caller.ask(order);
                        if answer.parse::<u32>().is_err() {
                            failed.push(answer);
                        }
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                    failed
                })
            })
            .collect();
        // The callers end also when the event fails.
        let event = std::panic::catch_unwind(AssertUnwindSafe(|| event(&answered)));
        over.store(true, Ordering::Relaxed);
        let failed = threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap());
        let failed: Vec<_> = failed.collect();
        if let Err(panic) = event {
            eprintln!("answers that are no numbers: {failed:?}");
            std::panic::resume_unwind(panic);
        }
        failed
    })
}

/// Waits until so many more calls have been answered.
fn goes_on(answered: &AtomicU64, calls: u64) {
    let wanted = answered.load(Ordering::Relaxed) + calls;
    until("more calls are answered", || {
        answered.load(Ordering::Relaxed) >= wanted
    });
}

pub(crate) fn a_reload_fails_no_call(place: &Place) {
    let (callee, caller) = two(place);
    let failed = failures_during(&caller, "slow 5", |answered| {
        for generation in 2..5 {
            goes_on(answered, 50);
            callee.signal(Signal::SIGHUP);
            callee.wait_for(&format!("reloaded generation={generation}"));
        }
        goes_on(answered, 50);
    });
    assert_eq!(failed, [""; 0]);
}

pub(crate) fn an_upgrade_fails_no_call(place: &Place) {
    let (callee, caller) = two(place);
    let mut supervisor = callee.pid();
    let failed = failures_during(&caller, "slow 5", |answered| {
        for _ in 0..2 {
            goes_on(answered, 100);
            kill(supervisor, Signal::SIGUSR2);
            let begins = callee.wait_for("upgrade begins");
            supervisor = Pid::from_raw(field(&begins, "pid"));
            callee.wait_for("this process has taken over");
        }
        goes_on(answered, 100);
    });
    kill(supervisor, Signal::SIGTERM);
    assert_eq!(failed, [""; 0]);
}

pub(crate) fn a_killed_worker_loses_what_ran_in_it_and_its_callers_are_told(place: &Place) {
    place.notice_deaths();
    let (callee, caller) = two(place);
    let mut hanging = Caller::of(&caller);
    hanging.say("slow 600000");
    let line = callee.wait_for("begun slow");
    let worker = tests::harness::writer(&line);
    kill(worker, Signal::SIGKILL);
    assert_eq!(
        hanging.answer(),
        "error the server of `callee` died while it had `slow`"
    );
    callee.ready_worker();
    assert!(hanging.ask("who").parse::<u32>().is_ok());
}

pub(crate) fn kills_under_load_fail_nothing_but_what_ran(place: &Place) {
    place.notice_deaths();
    let (callee, caller) = two(place);
    let failed = failures_during(&caller, "slow 1", |answered| {
        for _ in 0..5 {
            goes_on(answered, 50);
            kill(callee.children()[0], Signal::SIGKILL);
            callee.ready_worker();
        }
        goes_on(answered, 50);
    });
    let lost = "error the server of `callee` died while it had `slow`";
    assert!(failed.iter().all(|answer| answer == lost), "{failed:?}");
    // Each caller has one call at a time.
    assert!(failed.len() <= 5 * 8, "{failed:?}");
}

pub(crate) fn a_stop_finishes_what_runs_and_gives_back_the_rest(place: &Place) {
    let args = ["--set", "rpc.slots=1", "--workers", "1"];
    let callee = program(place, "callee").args(args).start();
    callee.ready(1);
    let caller = program(place, "caller").start();
    caller.ready(2);
    let mut running = Caller::of(&caller);
    running.say("slow 700");
    callee.wait_for("begun slow");
    // It waits in the accept queue, for the one slot is taken.
    let mut waiting = Caller::of(&caller);
    waiting.say("slow 0");
    callee.signal(Signal::SIGTERM);
    let given_back = "error nobody serves `callee`, so `slow` was not called";
    assert_eq!(waiting.answer(), given_back);
    assert!(running.answer().parse::<u32>().is_ok());
    assert_eq!(callee.exit_code(), 0);
    assert_eq!(callee.lines().with("begun slow").len(), 1);
}

pub(crate) fn a_stop_under_load_fails_no_call_while_another_program_serves(place: &Place) {
    let (first, caller) = two(place);
    let args = ["--set", "rpc.host=other-host"];
    let second = program(place, "callee").args(args).start();
    second.ready(2);
    let failed = failures_during(&caller, "slow 2", |answered| {
        goes_on(answered, 100);
        first.signal(Signal::SIGTERM);
        assert_eq!(first.exit_code(), 0);
        goes_on(answered, 100);
    });
    assert_eq!(failed, [""; 0]);
}

pub(crate) fn a_stop_among_calls_and_casts_loses_none_and_runs_none_twice(place: &Place) {
    let (callers, each) = (8, 125);
    let (first, caller) = two(place);
    let args = ["--set", "rpc.host=other-host"];
    let second = program(place, "callee").args(args).start();
    second.ready(2);
    let done = AtomicU64::new(0);
    let failed: Vec<String> = thread::scope(|scope| {
        let threads: Vec<_> = (0..callers)
            .map(|of| {
                let (caller, done) = (&caller, &done);
                scope.spawn(move || {
                    let mut caller = Caller::of(caller);
                    let mut failed = Vec::new();
                    for turn in 0..each {
                        let noted = caller.ask(&format!("note {of}-{turn}."));
                        let called = caller.ask("slow 1");
                        if noted != "ok" || called.parse::<u32>().is_err() {
                            failed.push(format!("{noted}, {called}"));
                        }
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                    failed
                })
            })
            .collect();
        until("some are done", || done.load(Ordering::Relaxed) > 100);
        first.signal(Signal::SIGTERM);
        assert!(done.load(Ordering::Relaxed) < 1000, "all were done");
        assert_eq!(first.exit_code(), 0);
        let threads = threads.into_iter();
        threads.flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(failed, [""; 0]);
    let said = |what: &str| [&first, &second].map(|program| program.lines().with(what).len());
    let both = |what: &str| said(what).iter().sum::<usize>();
    until("all is logged", || both("noted ") >= 1000);
    assert!(said("begun slow").iter().all(|count| *count > 0));
    assert_eq!((both("begun slow"), both("noted ")), (1000, 1000));
    for of in 0..callers {
        for turn in 0..each {
            let note = format!("noted {of}-{turn}.");
            assert_eq!(both(&note), 1, "{note}");
        }
    }
}

#[test]
fn a_second_program_of_the_same_name_is_refused() {
    let place = &Place::local();
    let first = program(place, "callee").start();
    first.ready(2);
    let (code, _, log) = program(place, "callee").run();
    assert_eq!(code, 1, "{log}");
    let socket = "callee/callee-host.server: another process listens there";
    assert!(log.contains(socket), "{log}");
}
