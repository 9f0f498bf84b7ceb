//! Services that fail: what the log says of it, what becomes of the others, how the program ends.

use nix::sys::signal::Signal;
use tests::fixture;
use tests::harness::{Program, Scratch, field};

/// The program whose service `name` goes wrong at `place`, beside a bystander.
fn unlucky(name: &str, place: &str, panics: bool) -> Program {
    fixture!("unlucky")
        .env("RUST_BACKTRACE", "0")
        .arg(format!("--only={name},bystander"))
        .arg(format!("--set={name}.place={place}"))
        .arg(format!("--set={name}.panics={panics}"))
}

/// Runs one that ends over it, and returns its log.
fn fails(program: Program) -> String {
    let (code, _, log) = program.run();
    assert_eq!(code, 1, "{log}");
    log
}

/// The errors of the framework; a panic is a line of its own before them.
fn errors(log: &str) -> Vec<&str> {
    log.lines()
        .filter(|line| line.contains(" ERROR ") && !line.contains(": panic: "))
        .collect()
}

#[test]
fn an_error_of_init_names_the_service_and_the_hook() {
    let log = fails(unlucky("exits", "init", false));
    let errors = errors(&log);
    assert_eq!(errors.len(), 1, "{log}");
    let expected = "service `exits` could not be started: `#[init]` failed: a broken mirror";
    assert!(errors[0].contains(expected), "{log}");
}

#[test]
fn a_panic_in_init_is_an_error_with_its_message() {
    let log = fails(unlucky("exits", "init", true));
    let expected = "service `exits` could not be started: `#[init]` panicked: a black cat";
    assert!(errors(&log)[0].contains(expected), "{log}");
}

#[test]
fn an_error_of_a_start_names_the_service_and_the_hook() {
    let log = fails(unlucky("exits", "start", false));
    let expected = "service `exits` could not be started: hook `on_start` failed: a broken mirror";
    assert!(errors(&log)[0].contains(expected), "{log}");
    assert!(log.contains("bystander goes down"), "{log}");
    assert!(!log.contains("exits goes down"), "{log}");
}

#[test]
fn a_panic_in_a_start_is_an_error_with_its_message() {
    let log = fails(unlucky("exits", "start", true));
    let expected = "service `exits` could not be started: hook `on_start` panicked: a black cat";
    assert!(errors(&log)[0].contains(expected), "{log}");
}

#[test]
fn an_error_of_the_run_hook_stops_everything() {
    let log = fails(unlucky("exits", "run", false));
    let errors = errors(&log);
    assert_eq!(errors.len(), 1, "{log}");
    let expected = "service failed, the program ends: hook `serve` failed: a broken mirror";
    assert!(errors[0].contains(expected), "{log}");
    assert_eq!(field::<String>(errors[0], "service"), "exits");
    assert!(log.contains("exits goes down"), "{log}");
    assert!(log.contains("bystander goes down"), "{log}");
}

#[test]
fn a_panic_in_the_run_hook_is_an_error_with_its_message() {
    let log = fails(unlucky("exits", "run", true));
    let line = errors(&log)[0];
    assert!(line.contains("`serve`"), "{log}");
    assert!(line.contains("panicked: a black cat"), "{log}");
    assert_eq!(field::<String>(line, "service"), "exits");
}

#[test]
fn a_panic_in_a_task_is_an_error_with_its_message() {
    let log = fails(unlucky("exits", "task", true));
    let line = errors(&log)[0];
    assert!(line.contains("task `errand`"), "{log}");
    assert!(line.contains("panicked: a black cat"), "{log}");
    assert_eq!(field::<String>(line, "service"), "exits");
}

#[test]
fn the_error_that_a_task_returns_is_its_value_and_no_failure() {
    let program = unlucky("exits", "task", false).start();
    program.wait_for("errand of exits is done");
    program.wait_for(" ready");
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 0);
}

#[test]
fn a_failed_run_of_a_periodic_task_fails_the_service_where_it_says_so() {
    let log = fails(unlucky("exits", "periodic", false));
    let line = errors(&log)[0];
    assert!(
        line.contains("`look`") && line.contains("a broken mirror"),
        "{log}"
    );
    assert_eq!(field::<String>(line, "service"), "exits");
}

#[test]
fn a_panic_in_a_periodic_task_is_an_error_with_its_message() {
    let log = fails(unlucky("exits", "periodic", true));
    let line = errors(&log)[0];
    assert!(
        line.contains("`look`") && line.contains("panicked: a black cat"),
        "{log}"
    );
}

#[test]
fn an_error_of_a_stop_is_told_and_the_others_stop_all_the_same() {
    for (panics, expected) in [
        (
            false,
            "service failed to stop: hook `on_stop` failed: a broken mirror",
        ),
        (
            true,
            "service failed to stop: hook `on_stop` panicked: a black cat",
        ),
    ] {
        let program = unlucky("exits", "stop", panics).start();
        program.wait_for(" ready");
        program.signal(Signal::SIGTERM);
        let line = program.wait_for(expected);
        assert_eq!(field::<String>(&line, "service"), "exits");
        assert_eq!(program.exit_code(), 1);
        program.wait_for("bystander goes down");
    }
}

#[test]
fn a_failed_service_is_restarted_with_growing_delay_up_to_its_limit() {
    let log = fails(unlucky("restarts", "run", false));
    let errors = errors(&log);
    assert_eq!(errors.len(), 4, "{log}");
    for (line, delay) in errors.iter().zip(["1ms", "2ms", "4ms"]) {
        let expected = format!("service failed, it is restarted in {delay}: hook `serve` failed");
        assert!(line.contains(&expected), "{log}");
    }
    assert!(
        errors[3].contains("it failed 4 times in a row: hook `serve` failed: a broken mirror"),
        "{log}"
    );
    assert_eq!(log.matches("restarts is up").count(), 4);
    assert_eq!(log.matches("restarts goes down").count(), 4);
    assert_eq!(log.matches("bystander goes down").count(), 1);
}

#[test]
fn a_service_that_recovers_goes_on() {
    let scratch = Scratch::new();
    let talisman = scratch.path("talisman");
    let program = unlucky("restarts", "run", false)
        .arg("--service-restart-limit=0")
        .arg(format!("--set=restarts.until={}", talisman.display()))
        .start();
    program.wait_for("service failed, it is restarted in");
    scratch.write("talisman", "");
    // From the start after the talisman on, nothing fails; the one before may.
    program.wait_for("restarts is up");
    let ready = program.wait_for("service is ready again");
    assert_eq!(field::<String>(&ready, "service"), "restarts");
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 0);
}

#[test]
fn a_stop_does_not_wait_for_a_restart_that_is_due() {
    let program = unlucky("restarts", "run", true)
        .args(["--respawn-delay=1h", "--respawn-delay-max=1h"])
        .start();
    program.wait_for("it is restarted in 1h");
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 0);
}

#[test]
fn an_ignored_failure_is_told_and_the_others_go_on() {
    let program = unlucky("ignored", "run", true).start();
    let line = program.wait_for("service failed, the others go on");
    assert!(line.contains("a black cat"), "{line}");
    program.wait_for(" ready");
    program.signal(Signal::SIGTERM);
    program.wait_for("bystander goes down");
    assert_eq!(program.exit_code(), 0);
}

#[test]
fn a_service_that_fails_while_another_starts_ends_the_start() {
    let program = fixture!("unlucky")
        .arg("--only=exits,unready")
        .arg("--set=exits.place=run")
        .start();
    let line = program.wait_for(" ERROR ");
    assert!(
        line.contains("hook `serve` failed: a broken mirror"),
        "{line}"
    );
    assert!(line.contains("exits"), "{line}");
    assert_eq!(program.exit_code(), 1);
}

#[test]
fn a_panic_of_main_is_an_error_with_its_message() {
    let (code, _, log) = fixture!("arranged")
        .env("RUST_BACKTRACE", "0")
        .arg("--service=panic!")
        .run();
    assert_eq!(code, 1);
    assert!(
        log.contains("`main` panicked: a service cannot be named `panic!`"),
        "{log}"
    );
}

#[test]
fn the_failure_of_an_ignored_service_counts_for_nothing_even_if_it_is_the_only_one() {
    let unlucky = fixture!("unlucky")
        .args(["--only", "ignored", "--set", "ignored.place=run"])
        .start();
    unlucky.wait_for("a broken mirror");
    assert_eq!(unlucky.exit_code(), 0);
}
