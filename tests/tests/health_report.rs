//! The state report: phases, health and tasks, in the log when USR1 comes.

use nix::sys::signal::Signal;
use tests::fixture;
use tests::harness::{Program, field};

fn unlucky(place: &str, panics: bool) -> Program {
    fixture!("unlucky")
        .env("RUST_BACKTRACE", "0")
        .arg("--only=exits,bystander")
        .arg(format!("--set=exits.place={place}"))
        .arg(format!("--set=exits.panics={panics}"))
}

/// Starts it, asks for a report and returns what that says of the health of `exits`.
fn health(program: Program) -> String {
    let program = program.start();
    program.wait_for(" ready");
    program.signal(Signal::SIGUSR1);
    let line = program.wait_for("service name=exits ");
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 0);
    line
}

#[test]
fn a_report_tells_of_every_service_and_task() {
    let program = unlucky("nowhere", false).start();
    program.wait_for(" ready");
    program.signal(Signal::SIGUSR1);
    for service in ["bystander", "exits"] {
        let phase = program.wait_for("phase=");
        assert_eq!(field::<String>(&phase, "name"), service);
        assert_eq!(field::<String>(&phase, "phase"), "ready");
    }
    let serve = program.wait_for("task name=serve ");
    assert_eq!(field::<String>(&serve, "kind"), "task");
    let look = program.wait_for("task name=look ");
    assert_eq!(field::<String>(&look, "kind"), "periodic task");
    assert_eq!(field::<u64>(&look, "failures"), 0);
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 0);
}

#[test]
fn a_health_hook_tells_how_it_goes() {
    let line = health(unlucky("nowhere", false));
    assert!(
        line.contains("health=\"warn: a ladder stands there"),
        "{line}"
    );
}

#[test]
fn an_error_of_a_health_hook_is_a_failed_health() {
    let line = health(unlucky("health", false));
    assert!(line.contains("health=\"fail: a broken mirror"), "{line}");
}

#[test]
fn a_panic_in_a_health_hook_is_a_failed_health() {
    let line = health(unlucky("health", true));
    assert!(
        line.contains("health=\"fail: hook `check` panicked: a black cat"),
        "{line}"
    );
}

#[test]
fn a_health_hook_that_hangs_does_not_keep_the_program_from_stopping() {
    let program = fixture!("unwilling")
        .arg("--set=unwilling.hook=health")
        .start();
    program.wait_for(" ready");
    program.signal(Signal::SIGUSR1);
    program.wait_for("hangs in health");
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 0);
}
