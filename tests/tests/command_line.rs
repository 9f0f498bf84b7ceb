//! What the command line of every program takes, and what it refuses.

use nix::sys::signal::Signal;
use tests::fixture;
use tests::harness::until;

#[test]
fn a_service_launcher_refuses_more_workers_and_names_the_attribute() {
    let (code, _, log) = fixture!("single").arg("--workers=2").run();
    assert_eq!(code, 2);
    assert!(log.contains("2 workers are asked for"), "{log}");
    assert!(log.contains("`#[launch(workers = 2)]`"), "{log}");
    assert!(!log.contains("started"), "{log}");
}

#[test]
fn a_launch_without_a_number_takes_any() {
    let alone = fixture!("arranged").arg("--service=a").start();
    let line = alone.wait_for("starts a.");
    assert!(line.contains(&format!(" pid={} ", alone.pid())), "{line}");
    alone.wait_for(" ready");
    alone.has_children(&[]);
    alone.signal(Signal::SIGTERM);
    assert_eq!(alone.exit_code(), 0);

    let three = fixture!("arranged")
        .args(["--service=a", "--workers=3"])
        .start();
    three.ready(3);
    until("there are three", || three.children().len() == 3);
    three.signal(Signal::SIGTERM);
    assert_eq!(three.exit_code(), 0);
}

#[test]
fn a_process_launcher_takes_one_worker() {
    let greeter = fixture!("greeter").arg("--workers=1").start();
    let worker = greeter.ready(1)[0];
    assert_ne!(worker.pid, greeter.pid());
    greeter.has_children(&[worker.pid]);
    greeter.signal(Signal::SIGTERM);
    assert_eq!(greeter.exit_code(), 0);
}

#[test]
fn no_worker_at_all_is_refused() {
    let (code, _, log) = fixture!("greeter").arg("--workers=0").run();
    assert_eq!(code, 2);
    assert!(
        log.contains("expected a number of workers, 1 to 1000"),
        "{log}"
    );
}

#[test]
fn an_unknown_flag_is_refused_with_the_near_miss() {
    let (code, _, log) = fixture!("greeter").arg("--wokers=2").run();
    assert_eq!(code, 2);
    assert!(log.contains("'--workers"), "{log}");
}

#[test]
fn an_authors_flags_stand_beside_the_launchers() {
    let (code, help, _) = fixture!("arranged").arg("--help").run();
    assert_eq!(code, 0);
    for text in [
        "--service",
        "A service, and after which others it starts",
        "--workers",
        "ARRANGED__LAUNCH__WORKERS",
    ] {
        assert!(help.contains(text), "{text} in {help}");
    }
}

#[test]
fn a_wrong_value_of_an_authors_flag_is_refused() {
    let (code, _, log) = fixture!("arranged")
        .args(["--count=many", "--service=a"])
        .run();
    assert_eq!(code, 2);
    assert!(log.contains("invalid value 'many' for '--count"), "{log}");
}

#[test]
fn the_version_is_that_of_the_program() {
    let (code, version, _) = fixture!("greeter").arg("--version").run();
    assert_eq!(
        (code, version.as_str()),
        (0, concat!("greeter ", env!("CARGO_PKG_VERSION"), "\n"))
    );
}

#[test]
fn one_question_is_answered_at_a_time() {
    let (code, _, log) = fixture!("greeter")
        .args(["--print-config", "--check-config"])
        .run();
    assert_eq!(code, 2);
    assert!(log.contains("cannot be used with"), "{log}");
}
