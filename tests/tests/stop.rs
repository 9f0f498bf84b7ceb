//! Stops that take longer than they may, and stops that come at a bad time.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tests::fixture;
use tests::harness::{Fixture, Program, Worker, kill, until};

/// How long a graceful stop may take here.
const GRACEFUL: Duration = Duration::from_millis(500);

fn stubborn(what: &str) -> Program {
    fixture!("stubborn")
        .args(["--graceful-shutdown-timeout", "500ms"])
        .args(["--set", &format!("stubborn.{what}=true")])
}

/// Stops it and checks that it ends by itself, not before its time and not much after.
#[track_caller]
fn runs_out_of_time(program: &Fixture) {
    let told = Instant::now();
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 1);
    let took = told.elapsed();
    assert!(
        took >= GRACEFUL && took < GRACEFUL + Duration::from_secs(1),
        "{took:?}"
    );
    program.everybody_is_gone();
    program.wait_for("stopped, not ");
}

#[test]
fn a_stop_hook_that_does_not_end_is_named_and_ended() {
    let stubborn = stubborn("hook").start();
    let workers = stubborn.ready(2);
    runs_out_of_time(&stubborn);
    for worker in workers {
        says_what_still_runs(&stubborn, worker, "hook `on_stop`");
    }
}

#[test]
fn a_task_that_does_not_end_is_named_and_ended() {
    let stubborn = stubborn("task").start();
    let workers = stubborn.ready(2);
    runs_out_of_time(&stubborn);
    for worker in workers {
        says_what_still_runs(&stubborn, worker, "task `endless`");
    }
}

#[track_caller]
fn says_what_still_runs(stubborn: &Fixture, worker: Worker, what: &str) {
    let own = format!("slot={} pid={} ", worker.slot, worker.pid);
    let line = stubborn.wait_for(&format!(
        "{own}service_runtime: service `stubborn` still runs"
    ));
    assert!(line.contains(what), "{line}");
}

#[test]
fn a_worker_whose_runtime_is_blocked_is_killed_and_named() {
    let stubborn = stubborn("runtime").args(["--workers", "1"]).start();
    let worker = stubborn.ready(1)[0];
    stubborn.wait_for("blocks");
    runs_out_of_time(&stubborn);
    let killed = stubborn.wait_for("worker did not stop within graceful_shutdown_timeout: killed");
    assert!(
        killed.contains(&format!(" slot=0 pid={}", worker.pid)),
        "{killed}"
    );
}

#[test]
fn a_stop_without_a_limit_is_ended_by_the_second_term() {
    let stubborn = fixture!("stubborn")
        .args([
            "--graceful-shutdown-timeout",
            "0s",
            "--set",
            "stubborn.hook=true",
        ])
        .start();
    stubborn.ready(2);
    stubborn.signal(Signal::SIGTERM);
    stubborn.wait_for("told to stop");
    stubborn.wait_for("told to stop");
    assert!(!stubborn.has_ended());
    until("told again, it has ended", || {
        // The first moment of a stop takes a second order for the same.
        let _ = nix::sys::signal::kill(stubborn.pid(), Signal::SIGTERM);
        stubborn.has_ended()
    });
    assert_eq!(stubborn.exit_code(), 1);
    stubborn.everybody_is_gone();
    assert!(stubborn.lines().with("in time").is_empty());
}

#[test]
fn a_worker_that_is_told_alone_and_does_not_stop_ends_itself_and_is_replaced() {
    let stubborn = stubborn("task").start();
    let worker = stubborn.ready(2)[0];
    kill(worker.pid, Signal::SIGTERM);
    says_what_still_runs(&stubborn, worker, "task `endless`");
    let died = stubborn.wait_for("worker died");
    assert_eq!(Worker::of(&died), worker);
    assert!(died.contains("how=exit code 1"), "{died}");
    assert_eq!(stubborn.ready_worker().slot, 0);
}

#[test]
fn a_worker_too_many_that_does_not_stop_ends_itself_after_its_drain_timeout() {
    let stubborn = fixture!("stubborn")
        .args(["--drain-timeout", "200ms", "--set", "stubborn.hook=true"])
        .start();
    let worker = stubborn.ready(2)[1];
    stubborn.signal(Signal::SIGTTOU);
    stubborn.wait_for("told to stop");
    stubborn.wait_for("the graceful stop did not end within 200ms");
    let stopped = stubborn.wait_for("worker stopped");
    assert_eq!(Worker::of(&stopped), worker);
    assert!(stopped.contains("how=exit code 1"), "{stopped}");
    stubborn.signal(Signal::SIGUSR1);
    stubborn.wait_for("report: 1 worker");
}

#[test]
fn a_drain_may_take_longer_than_a_stop() {
    let stubborn = fixture!("stubborn")
        .args([
            "--drain-timeout",
            "500ms",
            "--graceful-shutdown-timeout",
            "1ms",
        ])
        .args(["--set", "stubborn.hook=true"])
        .start();
    stubborn.ready(2);
    stubborn.signal(Signal::SIGTTOU);
    stubborn.wait_for("the graceful stop did not end within 500ms");
}

#[test]
fn a_stop_in_the_middle_of_a_reload_ends_everybody() {
    let picky = fixture!("picky").config("[picky]\n").start();
    picky.ready(2);
    picky.rewrite("[picky]\nhang_in = [0, 1]\n");
    picky.signal(Signal::SIGHUP);
    picky.wait_for("hangs");
    picky.signal(Signal::SIGTERM);
    assert_eq!(picky.exit_code(), 0);
    picky.everybody_is_gone();
}

#[test]
fn a_stop_while_workers_start_ends_everybody() {
    let picky = fixture!("picky")
        .args(["--set", "picky.hang_in=[0, 1]"])
        .start();
    picky.wait_for("hangs");
    picky.wait_for("hangs");
    picky.signal(Signal::SIGTERM);
    assert_eq!(picky.exit_code(), 0);
    picky.everybody_is_gone();
    assert!(picky.lines().with("killed").is_empty());
}

#[test]
fn a_worker_that_dies_while_all_stop_is_not_replaced() {
    let stubborn = fixture!("stubborn")
        .args(["--set", "stubborn.hook=true"])
        .start();
    let workers = stubborn.ready(2);
    stubborn.signal(Signal::SIGTERM);
    stubborn.wait_for("told to stop");
    stubborn.wait_for("told to stop");
    for worker in workers {
        kill(worker.pid, Signal::SIGKILL);
    }
    assert_eq!(stubborn.exit_code(), 1);
    stubborn.everybody_is_gone();
    assert_eq!(stubborn.lines().with("worker ready").len(), 2);
}

#[test]
fn a_service_that_listens_when_the_program_stops_gets_an_error_and_holds_nobody_up() {
    let late = fixture!("late").start();
    late.ready(2);
    late.signal(Signal::SIGTERM);
    for _ in 0..2 {
        let refused = late.wait_for("listens no more: ");
        assert!(refused.contains("the program stops"), "{refused}");
    }
    assert_eq!(late.exit_code(), 0);
    late.everybody_is_gone();
}

#[test]
fn a_service_that_listens_when_its_worker_alone_stops_gets_its_socket() {
    let late = fixture!("late").start();
    late.ready(2);
    late.signal(Signal::SIGHUP);
    for _ in 0..2 {
        late.wait_for("listens while it stops");
    }
    late.wait_for("reloaded generation=2");
}
