//! A program as process 1, as it is in a container.

use std::process::{Command, Stdio};

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use tests::fixture;
use tests::harness::{Fixture, Program, children, field, kill, until};

const ALONE: [&str; 5] = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];

/// Starts a program as process 1 of a pid namespace of its own; `None` if that is not permitted.
fn start(program: Program) -> Option<Fixture> {
    let mut probe = Command::new(ALONE[0]);
    probe
        .args(&ALONE[1..])
        .arg("true")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if !probe.status().is_ok_and(|status| status.success()) {
        eprintln!("skipped: a pid namespace is not permitted");
        return None;
    }
    Some(program.through(ALONE).start())
}

/// Returns the pid that process 1 has outside of its namespace.
fn init(program: &Fixture) -> Pid {
    program.children()[0]
}

#[test]
fn a_supervisor_that_is_process_1_stops_on_term() {
    let Some(greeter) = start(fixture!("greeter")) else {
        return;
    };
    greeter.ready(2);
    assert!(!greeter.lines().with("supervisor pid=1 ").is_empty());
    kill(init(&greeter), Signal::SIGTERM);
    assert_eq!(greeter.exit_code(), 0);
    greeter.everybody_is_gone();
    assert_eq!(greeter.lines().with("greeter: stopping").len(), 2);
}

#[test]
fn a_supervisor_that_is_process_1_exits_on_int() {
    let Some(greeter) = start(fixture!("greeter")) else {
        return;
    };
    greeter.ready(2);
    assert!(!greeter.lines().with("supervisor pid=1 ").is_empty());
    kill(init(&greeter), Signal::SIGINT);
    assert_eq!(greeter.exit_code(), 1);
    greeter.everybody_is_gone();
}

#[test]
fn a_supervisor_that_is_process_1_replaces_workers_and_reloads() {
    let Some(greeter) = start(fixture!("greeter")) else {
        return;
    };
    greeter.ready(2);
    kill(children(init(&greeter))[0], Signal::SIGKILL);
    greeter.wait_for("worker died");
    greeter.ready_worker();
    kill(init(&greeter), Signal::SIGHUP);
    greeter.ready(2);
    greeter.wait_for("reloaded generation=2");
}

#[test]
fn a_supervisor_that_is_process_1_reaps_orphans_and_no_worker_of_its_own_that_way() {
    let orphans = fixture!("orphans").args(["--log-level", "debug"]);
    let Some(orphans) = start(orphans) else {
        return;
    };
    let workers = orphans.ready(2);
    for _ in &workers {
        let left = orphans.wait_for("left behind orphan=");
        let orphan: i32 = field(&left, "orphan");
        orphans.wait_for(&format!("reaped an orphan pid={orphan} ended=exit code 0"));
    }
    until("nobody waits to be reaped", || {
        children(init(&orphans)).len() == 2
    });
    kill(children(init(&orphans))[1], Signal::SIGKILL);
    orphans.wait_for("how=killed by SIGKILL");
    orphans.ready_worker();
    kill(init(&orphans), Signal::SIGTERM);
    assert_eq!(orphans.exit_code(), 0);
}

#[test]
fn a_single_process_that_is_process_1_stops_on_term_and_exits_on_int() {
    for (signal, code) in [(Signal::SIGTERM, 0), (Signal::SIGINT, 1)] {
        let Some(single) = start(fixture!("single")) else {
            return;
        };
        single.wait_for("service_runtime: ready");
        kill(init(&single), signal);
        assert_eq!(single.exit_code(), code);
        single.everybody_is_gone();
    }
}
