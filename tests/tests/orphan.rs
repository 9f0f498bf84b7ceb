//! Workers whose supervisor is gone: all of them end, with code 1, within the graceful timeout.

use nix::sys::signal::Signal;
use nix::sys::wait::WaitStatus;
use tests::fixture;
use tests::harness::{Client, Fixture, Program, Worker, become_reaper, exit_of_orphan};

/// Starts it such that the ends of its orphans can be seen.
fn start(program: Program) -> Fixture {
    become_reaper();
    program
        .args(["--graceful-shutdown-timeout", "500ms"])
        .start()
}

/// Kills the supervisor, and checks how its workers end.
#[track_caller]
fn everybody_ends(program: &Fixture, workers: &[Worker]) {
    program.signal(Signal::SIGKILL);
    // When it is gone they are this process's.
    program.exit_status();
    for worker in workers {
        assert_eq!(
            exit_of_orphan(worker.pid),
            WaitStatus::Exited(worker.pid, 1)
        );
    }
    program.everybody_is_gone();
}

#[test]
fn idle_workers_stop_gracefully() {
    let greeter = start(fixture!("greeter"));
    let workers = greeter.ready(2);
    everybody_ends(&greeter, &workers);
    assert_eq!(
        greeter
            .lines()
            .with("the supervisor is gone: stops gracefully")
            .len(),
        2
    );
    assert_eq!(greeter.lines().with("greeter: stopping").len(), 2);
}

#[test]
fn busy_workers_end() {
    let echo = start(fixture!("echo"));
    let workers = echo.ready(2);
    let mut client = Client::of(&echo);
    client.ask("spin").unwrap();
    echo.wait_for("spins");
    everybody_ends(&echo, &workers);
}

#[test]
fn workers_with_a_blocked_runtime_end() {
    let stubborn = start(fixture!("stubborn").args(["--set", "stubborn.runtime=true"]));
    let workers = stubborn.ready(2);
    stubborn.wait_for("blocks");
    stubborn.wait_for("blocks");
    everybody_ends(&stubborn, &workers);
}

#[test]
fn workers_that_do_not_stop_end() {
    let stubborn = start(fixture!("stubborn").args(["--set", "stubborn.hook=true"]));
    let workers = stubborn.ready(2);
    everybody_ends(&stubborn, &workers);
}

#[test]
fn workers_that_start_end() {
    let picky = start(fixture!("picky").args(["--set", "picky.hang_in=[0, 1]"]));
    picky.wait_for("hangs");
    picky.wait_for("hangs");
    picky.signal(Signal::SIGKILL);
    picky.everybody_is_gone();
}

#[test]
fn workers_of_two_generations_end() {
    let stubborn = start(fixture!("stubborn").args(["--set", "stubborn.hook=true"]));
    let old = stubborn.ready(2);
    stubborn.signal(Signal::SIGHUP);
    let new = stubborn.ready(2);
    // The old ones do not stop as told, and would have a minute for it.
    everybody_ends(&stubborn, &[old, new].concat());
}
