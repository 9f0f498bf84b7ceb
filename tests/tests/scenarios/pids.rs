//! Pids that are used again by a stranger.

use std::process::{Command, Stdio};

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use tests::fixture;
use tests::harness::{Worker, is_gone, kill, until};

const ALONE: [&str; 5] = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];

/// Starts a stranger with this pid in the namespace of that process; `None` if that is refused.
fn stranger(init: Pid, pid: Pid) -> Option<()> {
    // Forks of others may come between, so more than one try.
    let script = "for try in 1 2 3 4 5; do \
         echo $(($1 - 1)) >/proc/sys/kernel/ns_last_pid || exit 1; \
         sleep 1000 >/dev/null 2>&1 & \
         [ $! = $1 ] && exit 0; kill $!; \
         done; exit 1";
    let target = format!("--target={init}");
    let inside = [
        "nsenter", &target, "--pid", "--mount", "sh", "-c", script, "sh",
    ];
    let mut command = Command::new(inside[0]);
    command
        .args(&inside[1..])
        .arg(pid.to_string())
        .stdout(Stdio::null());
    command
        .status()
        .is_ok_and(|status| status.success())
        .then_some(())
}

#[test]
fn a_stranger_that_gets_the_pid_of_a_dead_worker_is_never_signalled() {
    let probe = Command::new(ALONE[0])
        .args(&ALONE[1..])
        .arg("true")
        .stderr(Stdio::null())
        .status();
    if !probe.is_ok_and(|status| status.success()) {
        eprintln!("skipped: a pid namespace is not permitted");
        return;
    }
    let greeter = fixture!("greeter")
        .args(["--workers", "3", "--healthy-after", "0s"])
        .through(ALONE)
        .start();
    let workers: Vec<Worker> = greeter.ready(3);
    let init = greeter.children()[0];
    // The dead one's pid, inside of the namespace, is free as soon as its end is told.
    let outside = tests::harness::children(init);
    kill(outside[1], Signal::SIGKILL);
    let died = Worker::of(&greeter.wait_for("worker died"));
    assert!(workers.contains(&died));
    greeter.ready_worker();
    if stranger(init, died.pid).is_none() {
        eprintln!("skipped: the next pid cannot be chosen");
        return;
    }
    let name = |pid: &Pid| std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    let mut stranger = init;
    until("process 1 has it, and it sleeps", || {
        let mut found = tests::harness::children(init).into_iter();
        let sleeps = found.find(|pid| name(pid) == "sleep\n");
        stranger = sleeps.unwrap_or(init);
        stranger != init
    });

    // All that makes a supervisor signal its workers, but for the stop.
    kill(init, Signal::SIGUSR1);
    kill(init, Signal::SIGHUP);
    greeter.wait_for("reloaded generation=2");
    for signal in [
        Signal::SIGTTIN,
        Signal::SIGTTOU,
        Signal::SIGTTOU,
        Signal::SIGTTOU,
    ] {
        kill(init, signal);
        greeter.wait_for("number of workers changed");
    }
    for _ in 0..3 {
        greeter.wait_for("worker stopped");
    }
    assert!(!is_gone(stranger));
    let lines = greeter.lines().all();
    let later: Vec<_> = lines
        .iter()
        .skip_while(|line| !line.contains("reload begins"))
        // The report tells of the death, whenever it comes.
        .filter(|line| !line.contains("report: death "))
        .filter(|line| line.contains(&format!(" pid={} generation=1", died.pid)))
        .collect();
    assert!(later.is_empty(), "{later:#?}");
    kill(init, Signal::SIGTERM);
    // Process 1 takes the stranger with it; it did not wait for it.
    assert_eq!(greeter.exit_code(), 0);
}
