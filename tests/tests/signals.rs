//! The table of signals, for a supervisor and for a worker.

use nix::sys::signal::Signal;
use tests::fixture;
use tests::harness::kill;

#[test]
fn term_stops_gracefully() {
    let greeter = fixture!("greeter").start();
    greeter.ready(2);
    greeter.signal(Signal::SIGTERM);
    greeter.wait_for("stopping");
    greeter.wait_for("stopping");
    assert_eq!(greeter.exit_code(), 0);
    greeter.everybody_is_gone();
    greeter.wait_for("stopped");
}

#[test]
fn hup_to_a_worker_restarts_its_services_in_place() {
    let greeter = fixture!("greeter").start();
    let workers = greeter.ready(2);
    kill(workers[1].pid, Signal::SIGHUP);
    greeter.wait_for("services restarted");
    assert_eq!(greeter.children().len(), 2);
    assert!(greeter.children().contains(&workers[1].pid));
}
