//! The table of signals: every row, for a supervisor and for a worker alone.

use nix::sys::signal::Signal;
use tests::fixture;
use tests::harness::{Worker, kill, state, until};

#[test]
fn term_stops_the_supervisor_gracefully() {
    let greeter = fixture!("greeter").start();
    greeter.ready(2);
    greeter.signal(Signal::SIGTERM);
    assert_eq!(greeter.exit_code(), 0);
    greeter.everybody_is_gone();
    assert_eq!(greeter.lines().with("greeter: stopping").len(), 2);
    let me = std::process::id();
    greeter.wait_for(&format!("TERM: stops gracefully sender=pid {me}"));
}

#[test]
fn a_second_term_to_the_supervisor_exits_at_once() {
    let stubborn = fixture!("stubborn")
        .args(["--set", "stubborn.hook=true"])
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
    stubborn.wait_for("exited at once");
}

#[test]
fn int_exits_the_supervisor_at_once() {
    let greeter = fixture!("greeter").start();
    greeter.ready(2);
    greeter.signal(Signal::SIGINT);
    assert_eq!(greeter.exit_code(), 1);
    greeter.everybody_is_gone();
    greeter.wait_for("INT: exits at once sender=pid");
}

#[test]
fn quit_stops_the_supervisor_gracefully_as_term_does() {
    let greeter = fixture!("greeter").start();
    greeter.ready(2);
    greeter.signal(Signal::SIGQUIT);
    assert_eq!(greeter.exit_code(), 0);
    greeter.everybody_is_gone();
    assert_eq!(greeter.lines().with("greeter: stopping").len(), 2);
    let me = std::process::id();
    greeter.wait_for(&format!("QUIT: stops gracefully sender=pid {me}"));
}

#[test]
fn quit_from_a_terminal_is_one_graceful_stop_of_all_processes() {
    let greeter = fixture!("greeter").start();
    greeter.ready(2);
    greeter.signal_all(Signal::SIGQUIT);
    assert_eq!(greeter.exit_code(), 0);
    greeter.everybody_is_gone();
}

#[test]
fn int_while_stopping_exits_the_supervisor_at_once() {
    let stubborn = fixture!("stubborn")
        .args(["--set", "stubborn.hook=true"])
        .start();
    stubborn.ready(2);
    stubborn.signal(Signal::SIGTERM);
    stubborn.wait_for("told to stop");
    stubborn.signal(Signal::SIGINT);
    assert_eq!(stubborn.exit_code(), 1);
    stubborn.everybody_is_gone();
}

#[test]
fn hup_to_the_supervisor_replaces_every_worker() {
    let greeter = fixture!("greeter").start();
    let old = greeter.ready(2);
    greeter.signal(Signal::SIGHUP);
    let new = greeter.ready(2);
    greeter.wait_for("reloaded generation=2");
    assert!(new.iter().all(|worker| worker.generation == 2), "{new:?}");
    assert_eq!(
        new.iter().map(|worker| worker.slot).collect::<Vec<_>>(),
        [0, 1]
    );
    assert!(
        old.iter()
            .all(|old| new.iter().all(|new| new.pid != old.pid))
    );
    greeter.signal(Signal::SIGTERM);
    assert_eq!(greeter.exit_code(), 0);
    greeter.everybody_is_gone();
}

#[test]
fn hup_to_the_supervisor_with_mutate_keeps_every_worker() {
    let greeter = fixture!("greeter")
        .args(["--restart-method", "mutate"])
        .config("[greeter]\ngreeting = 'hello'\nplace = 'door'\n")
        .start();
    let workers = greeter.ready(2);
    greeter.rewrite("[greeter]\ngreeting = 'servus'\nplace = 'gate'\n");
    greeter.signal(Signal::SIGHUP);
    // The mutable option is new and the other one is not, in both of them.
    greeter.wait_for("reset greeting=\"servus\" place=\"door\"");
    greeter.wait_for("reset greeting=\"servus\" place=\"door\"");
    let refused = greeter.wait_for("option needs a restart");
    assert!(
        refused.contains("place") && refused.contains("gate"),
        "{refused}"
    );
    greeter.wait_for(" ready: 2 workers");
    greeter.has_children(&pids(&workers));
    assert!(greeter.lines().with("generation=2").is_empty());
}

#[test]
fn ttin_and_ttou_change_the_number_of_workers_down_to_one() {
    let greeter = fixture!("greeter").start();
    greeter.ready(2);
    greeter.signal(Signal::SIGTTIN);
    let third = greeter.ready_worker();
    assert_eq!(third.slot, 2);
    greeter.wait_for("number of workers changed workers=3");

    greeter.signal(Signal::SIGTTOU);
    greeter.wait_for("number of workers changed workers=2");
    greeter.wait_for(&format!("slot=2 pid={} greeter: stopping", third.pid));
    greeter.signal(Signal::SIGTTOU);
    greeter.wait_for("number of workers changed workers=1");
    greeter.wait_for("greeter: stopping");
    greeter.signal(Signal::SIGTTOU);
    greeter.wait_for("TTOU: one worker fewer");
    greeter.wait_for("TTOU: one worker fewer");
    greeter.wait_for("TTOU: one worker fewer");
    greeter.signal(Signal::SIGUSR1);
    greeter.wait_for("report: 1 worker, generation 1");
    // Those that went were asked to.
    assert!(greeter.lines().with("worker died").is_empty());
    greeter.signal(Signal::SIGTERM);
    assert_eq!(greeter.exit_code(), 0);
    greeter.everybody_is_gone();
}

#[test]
fn usr1_reports_every_process() {
    let greeter = fixture!("greeter").start();
    let workers = greeter.ready(2);
    greeter.signal(Signal::SIGUSR1);
    greeter.wait_for("report: 2 workers, generation 1");
    for worker in workers {
        let report = greeter.wait_for(&format!(
            "report: worker slot={} pid={}",
            worker.slot, worker.pid
        ));
        assert_eq!(Worker::of(&report), worker);
        greeter.wait_for("report:   service name=greeter phase=ready");
    }
}

#[test]
fn usr2_to_workers_ends_nobody() {
    let greeter = fixture!("greeter").start();
    let workers = greeter.ready(2);
    for worker in &workers {
        kill(worker.pid, Signal::SIGUSR2);
    }
    greeter.signal(Signal::SIGUSR1);
    greeter.wait_for("service name=greeter phase=ready");
    greeter.wait_for("service name=greeter phase=ready");
    greeter.has_children(&pids(&workers));
}

#[test]
fn a_signal_to_all_processes_is_one_graceful_stop() {
    // A service manager signals each process of a service; then the supervisor does.
    let greeter = fixture!("greeter").args(["--workers", "4"]).start();
    greeter.ready(4);
    greeter.signal_all(Signal::SIGTERM);
    assert_eq!(greeter.exit_code(), 0);
    greeter.everybody_is_gone();
    assert_eq!(greeter.lines().with("greeter: stopping").len(), 4);
    assert!(greeter.lines().with("killed").is_empty());
}

#[test]
fn ctrl_c_at_a_terminal_ends_all_processes_at_once() {
    let greeter = fixture!("greeter").start();
    greeter.ready(2);
    greeter.signal_all(Signal::SIGINT);
    assert_eq!(greeter.exit_code(), 1);
    greeter.everybody_is_gone();
}

#[test]
fn a_worker_that_gets_term_stops_gracefully_and_is_replaced() {
    let greeter = fixture!("greeter").start();
    let workers = greeter.ready(2);
    kill(workers[0].pid, Signal::SIGTERM);
    greeter.wait_for(&format!("slot=0 pid={} greeter: stopping", workers[0].pid));
    let died = greeter.wait_for("worker died");
    assert_eq!(Worker::of(&died), workers[0]);
    assert!(died.contains("how=exit code 0"), "{died}");
    assert_eq!(greeter.ready_worker().slot, 0);
}

#[test]
fn a_worker_that_gets_term_again_exits_at_once_and_is_replaced() {
    let stubborn = fixture!("stubborn")
        .args(["--set", "stubborn.hook=true"])
        .start();
    let workers = stubborn.ready(2);
    kill(workers[1].pid, Signal::SIGTERM);
    stubborn.wait_for("told to stop");
    until("told again, it has ended", || {
        // The first moment of a stop takes a second order for the same.
        let _ = nix::sys::signal::kill(workers[1].pid, Signal::SIGTERM);
        !stubborn.lines().with("worker died").is_empty()
    });
    let died = stubborn.wait_for("worker died");
    assert_eq!(Worker::of(&died), workers[1]);
    assert!(died.contains("how=exit code 1"), "{died}");
    assert_eq!(stubborn.ready_worker().slot, 1);
}

#[test]
fn a_worker_that_gets_int_exits_at_once_and_is_replaced() {
    let greeter = fixture!("greeter").start();
    let workers = greeter.ready(2);
    kill(workers[1].pid, Signal::SIGINT);
    let died = greeter.wait_for("worker died");
    assert_eq!(Worker::of(&died), workers[1]);
    assert!(died.contains("how=exit code 1"), "{died}");
    assert!(greeter.lines().with("greeter: stopping").is_empty());
    assert_eq!(greeter.ready_worker().slot, 1);
}

#[test]
fn a_worker_with_a_blocked_runtime_still_obeys_int_and_the_second_term() {
    for (signals, name) in [
        (&[Signal::SIGINT][..], "INT"),
        // Two may be the service manager's and the supervisor's; one that comes later is by hand.
        (&[Signal::SIGTERM, Signal::SIGTERM], "TERM"),
    ] {
        let stubborn = fixture!("stubborn")
            .args(["--workers", "1", "--set", "stubborn.runtime=true"])
            .start();
        let workers = stubborn.ready(1);
        stubborn.wait_for("blocks");
        for signal in signals {
            kill(workers[0].pid, *signal);
            // Equal signals that wait would count as one.
            until("the signal is taken", || !is_pending(workers[0], *signal));
        }
        until("told again, it has ended", || {
            let _ = nix::sys::signal::kill(workers[0].pid, signals[0]);
            !stubborn.lines().with("worker died").is_empty()
        });
        let died = stubborn.wait_for("worker died");
        assert!(died.contains("how=exit code 1"), "{name}: {died}");
        stubborn.wait_for("exits without its services: a hook or a task blocks the runtime");
        assert_eq!(stubborn.ready_worker().slot, 0);
    }
}

#[test]
fn hup_to_a_worker_restarts_its_services_in_place() {
    let greeter = fixture!("greeter")
        .config("[greeter]\ngreeting = 'hello'\n")
        .start();
    let workers = greeter.ready(2);
    let of = |what: &str| format!("slot=1 pid={} greeter: {what}", workers[1].pid);
    greeter.wait_for(&of("started greeting=\"hello\""));
    greeter.rewrite("[greeter]\ngreeting = 'servus'\n");
    kill(workers[1].pid, Signal::SIGHUP);
    greeter.wait_for(&of("stopping"));
    greeter.wait_for(&of("started greeting=\"servus\""));
    greeter.wait_for("services restarted");
    greeter.has_children(&pids(&workers));
    assert_eq!(greeter.lines().with("greeter: stopping").len(), 1);
}

#[test]
fn hup_to_a_worker_with_mutate_resets_its_services_in_place() {
    let greeter = fixture!("greeter")
        .args(["--restart-method", "mutate"])
        .config("[greeter]\ngreeting = 'hello'\n")
        .start();
    let workers = greeter.ready(2);
    greeter.rewrite("[greeter]\ngreeting = 'servus'\n");
    kill(workers[0].pid, Signal::SIGHUP);
    greeter.wait_for(&format!(
        "slot=0 pid={} greeter: reset greeting=\"servus\"",
        workers[0].pid
    ));
    greeter.wait_for("mutated");
    greeter.has_children(&pids(&workers));
    assert_eq!(greeter.lines().with("greeter: reset").len(), 1);
    assert!(greeter.lines().with("greeter: stopping").is_empty());
}

#[test]
fn hup_to_a_worker_with_a_broken_file_changes_nothing() {
    let greeter = fixture!("greeter")
        .config("[greeter]\ngreeting = 'hello'\n")
        .start();
    let workers = greeter.ready(2);
    greeter.rewrite("[greeter]\ngreting = 'servus'\n");
    kill(workers[0].pid, Signal::SIGHUP);
    let why = greeter.wait_for("reload refused, nothing is changed");
    assert!(
        why.contains("config.toml:2") && why.contains("greeting"),
        "{why}"
    );
    kill(workers[0].pid, Signal::SIGUSR1);
    greeter.wait_for("service name=greeter phase=ready");
    greeter.has_children(&pids(&workers));
    assert!(greeter.lines().with("greeter: stopping").is_empty());
}

#[test]
fn a_restart_in_place_that_hangs_is_undone_when_its_time_is_up() {
    let picky = fixture!("picky")
        .config("[picky]\n")
        .args(["--start-timeout", "2s"])
        .start();
    let workers = picky.ready(2);
    picky.rewrite("[picky]\nhang_in = [0, 1]\n");
    kill(workers[0].pid, Signal::SIGHUP);
    let undone = picky.wait_for("reload undone");
    assert!(
        undone.contains("service `picky` could not be started: not ready within start_timeout"),
        "{undone}"
    );
    picky.wait_for("picky: started");
    picky.has_children(&pids(&workers));
}

#[test]
fn signals_for_a_supervisor_do_nothing_to_a_worker() {
    let greeter = fixture!("greeter").start();
    let workers = greeter.ready(2);
    for signal in [Signal::SIGTTIN, Signal::SIGTTOU, Signal::SIGUSR2] {
        kill(workers[0].pid, signal);
    }
    kill(workers[0].pid, Signal::SIGUSR1);
    greeter.wait_for(&format!("slot=0 pid={} ", workers[0].pid));
    greeter.wait_for("service name=greeter phase=ready");
    // Neither ended nor stopped.
    until("it lives and is not stopped", || {
        matches!(state(workers[0].pid), Some('S' | 'R'))
    });
    assert!(greeter.lines().with("number of workers changed").is_empty());
}

fn pids(workers: &[Worker]) -> Vec<nix::unistd::Pid> {
    let mut pids: Vec<_> = workers.iter().map(|worker| worker.pid).collect();
    pids.sort_unstable();
    pids
}

fn is_pending(worker: Worker, signal: Signal) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/status", worker.pid));
    let status = status.unwrap_or_default();
    let pending = status
        .lines()
        .filter(|line| line.starts_with("SigPnd") || line.starts_with("ShdPnd"));
    pending
        .filter_map(|line| u64::from_str_radix(line.split_whitespace().nth(1)?, 16).ok())
        .any(|set| set & (1 << (signal as u32 - 1)) != 0)
}

#[test]
fn two_orders_at_the_same_moment_are_one_graceful_stop() {
    // As timeout(1) gives them: to its child, and to the whole group.
    let echo = fixture!("echo").start();
    echo.ready(2);
    for _ in 0..2 {
        echo.signal(Signal::SIGTERM);
    }
    assert_eq!(echo.exit_code(), 0);
    assert!(echo.lines().with("exited at once").is_empty());
}
