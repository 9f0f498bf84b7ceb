//! The order in which services start and stop, and what is refused before any starts.

use nix::sys::signal::Signal;
use tests::fixture;
use tests::harness::Program;

fn arranged(services: &[&str]) -> Program {
    let flags = services
        .iter()
        .map(|service| format!("--service={service}"));
    fixture!("arranged").args(flags)
}

/// Runs to the end, which has to come before anything starts, and returns the errors.
fn refused(program: Program) -> Vec<String> {
    refused_with(1, program)
}

fn refused_with(expected: i32, program: Program) -> Vec<String> {
    let (code, _, log) = program.run();
    assert_eq!(code, expected, "{log}");
    assert!(!log.contains("arranged: starts "), "{log}");
    log.lines().map(str::to_owned).collect()
}

#[test]
fn services_start_after_those_they_need_and_stop_in_reverse() {
    let program = arranged(&["api:db,cache", "cache:db", "db", "web:api"]).start();
    program.wait_for(" ready");
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 0);
    program.everybody_is_gone();
    let order = |verb: &str| -> Vec<String> {
        let lines = program.lines().with(&format!(" arranged: {verb} "));
        let word = |line: &String| line.rsplit(' ').next().unwrap().to_owned();
        lines.iter().map(word).collect()
    };
    assert_eq!(order("starts"), ["db.", "cache.", "api.", "web."]);
    assert_eq!(order("stops"), ["web.", "api.", "cache.", "db."]);
}

#[test]
fn a_start_that_fails_is_named_and_undoes_those_before_it() {
    let (code, _, log) = arranged(&["api:db", "db", "web:api"])
        .arg("--fails=api")
        .run();
    assert_eq!(code, 1);
    assert!(
        log.contains("service `api` could not be started: the shelf is empty"),
        "{log}"
    );
    assert!(log.contains("stops db."), "{log}");
    assert!(!log.contains("starts web."), "{log}");
    assert!(!log.contains("stops api."), "{log}");
}

#[test]
fn two_services_of_one_name_are_refused() {
    let errors = refused(arranged(&["db", "api", "db"]));
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains("ERROR"), "{errors:?}");
    assert!(
        errors[0].contains("2 services are named `db`"),
        "{errors:?}"
    );
}

#[test]
fn every_wrong_name_is_told_at_once_each_in_a_line_of_its_own() {
    let errors = refused(arranged(&["db", "db", "api:dv", "web:nothing"]));
    assert_eq!(errors.len(), 3, "{errors:?}");
    assert!(
        errors.iter().all(|line| line.contains("ERROR")),
        "{errors:?}"
    );
    assert!(
        errors[0].contains("2 services are named `db`"),
        "{errors:?}"
    );
    assert!(
        errors[1]
            .contains("service `api` starts after `dv`, which is not launched: did you mean `db`?"),
        "{errors:?}"
    );
    assert!(
        errors[2]
            .contains("service `web` starts after `nothing`, which is not launched: there are"),
        "{errors:?}"
    );
}

#[test]
fn a_cycle_is_refused_with_its_path() {
    let errors = refused(arranged(&["a:b", "b:c", "c:a", "d"]));
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(
        errors[0].contains("services wait for each other: `a` after `b` after `c` after `a`"),
        "{errors:?}"
    );
}

#[test]
fn a_launch_of_nothing_is_refused() {
    let errors = refused(arranged(&[]));
    assert!(
        errors[0].contains("there is no service to launch"),
        "{errors:?}"
    );
}

#[test]
fn only_the_services_asked_for_are_started() {
    let program = arranged(&["api", "db", "web"]).arg("--only=db,api").start();
    program.wait_for(" ready");
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 0);
    program.everybody_is_gone();
    assert_eq!(program.lines().with("arranged: starts ").len(), 2);
    assert!(program.lines().with("starts web.").is_empty());
}

#[test]
fn services_asked_for_that_do_not_exist_are_all_named() {
    let errors = refused_with(
        2,
        arranged(&["api", "db"]).args(["--only=ap", "--only=quux"]),
    );
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(errors[0].contains("`--only ap`: no service has this name: did you mean `api`?"));
    assert!(errors[1].contains("`--only quux`: no service has this name: there are `api`, `db`"));
}

#[test]
fn a_service_asked_for_without_the_one_it_needs_is_refused() {
    let errors = refused(arranged(&["api:db", "db"]).arg("--only=api"));
    assert!(
        errors[0].contains("service `api` starts after `db`, which is not launched"),
        "{errors:?}"
    );
}

#[test]
fn workers_find_the_same_mistakes() {
    let program = arranged(&["a:b", "b:a"]).arg("--workers=2").start();
    program.wait_for("services wait for each other: `a` after `b` after `a`");
    assert_eq!(program.exit_code(), 1);
    program.everybody_is_gone();
}
