//! Workers that die, and those that take their place.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tests::fixture;
use tests::harness::{Client, Fixture, NotifySocket, Worker, field, kill, writer};

/// Waits for the death of this worker, which its supervisor tells, and returns the line.
#[track_caller]
fn death(program: &Fixture, worker: Worker) -> String {
    let line = program.wait_for("worker died");
    assert_eq!(Worker::of(&line), worker, "{line}");
    line
}

#[test]
fn a_killed_worker_is_replaced_at_once() {
    let greeter = fixture!("greeter").args(["--healthy-after", "0s"]).start();
    let workers = greeter.ready(2);
    kill(workers[1].pid, Signal::SIGKILL);
    let died = death(&greeter, workers[1]);
    assert!(died.contains("how=killed by SIGKILL"), "{died}");
    assert_eq!(field::<String>(&died, "next"), "at once");
    let next = greeter.ready_worker();
    assert_eq!((next.slot, next.generation), (1, 1));
    assert_ne!(next.pid, workers[1].pid);
    greeter.has_children(&[workers[0].pid, next.pid]);
}

#[test]
fn a_worker_that_crashes_is_replaced() {
    let echo = fixture!("echo").args(["--workers", "1"]).start();
    let worker = echo.ready(1)[0];
    assert!(Client::of(&echo).ask("segv").is_err());
    let died = death(&echo, worker);
    assert!(died.contains("how=killed by SIGSEGV"), "{died}");
    let next = echo.ready_worker();
    assert_eq!(Client::of(&echo).ask("hello").unwrap(), next.pid);
}

#[test]
fn a_worker_that_exits_by_itself_is_replaced() {
    let echo = fixture!("echo").args(["--workers", "1"]).start();
    let worker = echo.ready(1)[0];
    assert!(Client::of(&echo).ask("exit").is_err());
    let died = death(&echo, worker);
    assert!(died.contains("how=exit code 3"), "{died}");
    assert_eq!(field::<String>(&died, "error"), "none given");
    echo.ready_worker();
}

#[test]
fn a_worker_whose_service_fails_ends_and_is_replaced() {
    let echo = fixture!("echo").args(["--workers", "1"]).start();
    let worker = echo.ready(1)[0];
    let _ = Client::of(&echo).ask("fail");
    echo.wait_for("service failed, the program ends: told to fail");
    let died = death(&echo, worker);
    assert!(died.contains("how=exit code 1"), "{died}");
    assert_eq!(
        field::<String>(&died, "error"),
        "service `echo` failed: told to fail"
    );
    echo.ready_worker();
}

#[test]
fn a_worker_with_a_panic_in_a_task_ends_and_is_replaced() {
    let echo = fixture!("echo").args(["--workers", "1"]).start();
    let worker = echo.ready(1)[0];
    let _ = Client::of(&echo).ask("panic");
    let failed = echo.wait_for("service failed, the program ends");
    assert!(
        failed.contains("connection") && failed.contains("told to panic"),
        "{failed}"
    );
    let died = death(&echo, worker);
    assert!(died.contains("how=exit code 1"), "{died}");
    echo.ready_worker();
}

#[test]
fn a_stopped_worker_that_hangs_is_killed_at_once() {
    let greeter = fixture!("greeter")
        .args(["--workers", "1", "--heartbeat-timeout", "3s"])
        .start();
    let worker = greeter.ready(1)[0];
    kill(worker.pid, Signal::SIGSTOP);
    greeter.wait_for("worker is stopped (state T): killed at once");
    // A signal that aborts would wait until somebody lets it go on.
    let ended = greeter.wait_for("worker stopped slot=0");
    assert_eq!(Worker::of(&ended), worker, "{ended}");
    assert!(ended.contains("how=killed by SIGKILL"), "{ended}");
    greeter.ready_worker();
}

#[test]
fn a_worker_that_says_in_a_loop_how_it_goes_starves_nobody() {
    let manager = NotifySocket::path();
    let late = fixture!("late")
        .args(["--set", "late.chatty_in=[0]"])
        .env("NOTIFY_SOCKET", manager.name())
        .start();
    let workers = late.ready(2);
    late.wait_for("has said much");
    kill(workers[1].pid, Signal::SIGKILL);
    assert_eq!(late.ready_worker().slot, 1);
    late.signal(Signal::SIGTERM);
    assert_eq!(late.exit_code(), 0);
    let told = manager.close();
    let words = told
        .iter()
        .filter(|message| message.contains("late: word "));
    let words = words.count();
    assert!((1..1000).contains(&words), "{words} of at least 10000");
}

#[test]
fn a_limit_below_what_a_worker_needs_is_warned_of_once_and_does_not_replace_without_pause() {
    let greeter = fixture!("greeter")
        .args(["--workers", "1", "--max-memory", "1MiB"])
        .args(["--respawn-delay", "1h", "--respawn-delay-max", "1h"])
        .start();
    let first = greeter.ready(1)[0];
    let warned = greeter.wait_for("max_memory is reached as soon as a worker is ready: raise it");
    assert!(warned.contains(&format!("pid={}", first.pid)), "{warned}");
    let second = greeter.ready_worker();
    assert_eq!(second.slot, first.slot);
    greeter.wait_for("worker stopped slot=0");
    greeter.wait_for(&format!("pid={} service_runtime: worker asks", second.pid));
    // The second in a row waits for as long as the second of two that died early.
    greeter.signal(Signal::SIGUSR1);
    greeter.wait_for("report: 1 worker");
    greeter.has_children(&[second.pid]);
    assert_eq!(greeter.lines().with("max_memory is reached").len(), 1);
    greeter.signal(Signal::SIGTERM);
    assert_eq!(greeter.exit_code(), 0);
}

#[test]
fn workers_that_are_killed_together_are_all_replaced() {
    let greeter = fixture!("greeter").args(["--workers", "4"]).start();
    let workers = greeter.ready(4);
    for worker in &workers {
        kill(worker.pid, Signal::SIGKILL);
    }
    let mut slots: Vec<usize> = workers
        .iter()
        .map(|_| greeter.ready_worker().slot)
        .collect();
    slots.sort_unstable();
    assert_eq!(slots, [0, 1, 2, 3]);
    greeter.signal(Signal::SIGTERM);
    assert_eq!(greeter.exit_code(), 0);
    greeter.everybody_is_gone();
}

#[test]
fn early_deaths_in_a_row_back_off_in_their_slot_alone() {
    let greeter = fixture!("greeter")
        .args([
            "--healthy-after",
            "1h",
            "--respawn-delay",
            "10ms",
            "--respawn-delay-max",
            "25ms",
        ])
        .start();
    let workers = greeter.ready(2);
    let mut worker = workers[0];
    for next in ["at once", "in 10ms", "in 20ms", "in 25ms", "in 25ms"] {
        kill(worker.pid, Signal::SIGKILL);
        let died = death(&greeter, worker);
        assert_eq!(field::<String>(&died, "next"), next);
        worker = greeter.ready_worker();
        assert_eq!(worker.slot, 0);
    }
    kill(workers[1].pid, Signal::SIGKILL);
    assert_eq!(
        field::<String>(&death(&greeter, workers[1]), "next"),
        "at once"
    );
}

#[test]
fn deaths_of_healthy_workers_do_not_back_off() {
    let greeter = fixture!("greeter")
        .args(["--workers", "1", "--healthy-after", "0s"])
        .start();
    let mut worker = greeter.ready(1)[0];
    for _ in 0..4 {
        kill(worker.pid, Signal::SIGKILL);
        assert_eq!(field::<String>(&death(&greeter, worker), "next"), "at once");
        worker = greeter.ready_worker();
    }
}

#[test]
fn a_slot_that_waits_for_its_worker_does_not_hold_up_a_stop() {
    let greeter = fixture!("greeter")
        .args([
            "--healthy-after",
            "1h",
            "--respawn-delay",
            "1h",
            "--respawn-delay-max",
            "1h",
        ])
        .start();
    let worker = greeter.ready(2)[0];
    kill(worker.pid, Signal::SIGKILL);
    let second = greeter.ready_worker();
    kill(second.pid, Signal::SIGKILL);
    greeter.wait_for("next=\"in 1h\"");
    greeter.signal(Signal::SIGTERM);
    assert_eq!(greeter.exit_code(), 0);
    greeter.everybody_is_gone();
}

#[test]
fn clients_in_the_queue_are_answered_by_the_worker_after_a_killed_one() {
    let queue = "[echo]\naccept = false\n";
    let echo = fixture!("echo")
        .args(["--workers", "1"])
        .config(queue)
        .start();
    let first = echo.ready(1)[0];
    let mut clients: Vec<_> = (0..3).map(|_| Client::of(&echo)).collect();
    for client in &mut clients {
        client.say("hello").unwrap();
    }
    kill(first.pid, Signal::SIGKILL);
    echo.ready_worker();
    // The one after that takes connections.
    echo.rewrite("[echo]\naccept = true\n");
    echo.signal(Signal::SIGHUP);
    let last = echo.ready_worker();
    for client in &mut clients {
        assert_eq!(client.answer("hello").unwrap(), last.pid);
    }
}

#[test]
fn what_runs_once_in_the_program_moves_on_within_a_second_of_a_death() {
    let turns = fixture!("turns").start();
    let workers = turns.ready(3);
    let of = |pid| move |line: &String| writer(line) == pid;
    let first = writer(&turns.wait_for(" turn own_slot"));
    for _ in 0..10 {
        turns.wait_for(" turn own_slot");
    }
    let taken = turns.lines().with(" turn own_slot");
    assert!(taken.iter().all(of(first)), "{taken:?}");
    assert!(workers.iter().any(|worker| worker.pid == first));

    kill(first, Signal::SIGKILL);
    let killed = Instant::now();
    let other = workers
        .iter()
        .find(|worker| worker.pid != first && worker.slot < 2)
        .unwrap();
    turns.wait_for(&format!(
        "slot={} pid={} turns: turn",
        other.slot, other.pid
    ));
    assert!(
        killed.elapsed() < Duration::from_secs(1),
        "{:?}",
        killed.elapsed()
    );
    // And there it stays, though the slot of the first one is filled again.
    turns.ready_worker();
    for _ in 0..10 {
        turns.wait_for(&format!(
            "slot={} pid={} turns: turn",
            other.slot, other.pid
        ));
    }
    let by_others = turns.lines().with(" turn own_slot").into_iter();
    let by_others: Vec<_> = by_others
        .filter(|line| !of(first)(line) && !of(other.pid)(line))
        .collect();
    assert!(by_others.is_empty(), "{by_others:?}");
}
