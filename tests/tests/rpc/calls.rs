//! What one call can come to.

use std::collections::HashSet;
use std::os::unix::fs::PermissionsExt;

use tests::harness::{Fixture, field};

use super::place::Place;
use super::{Caller, program};

/// A program that calls itself.
fn both(place: &Place) -> (Fixture, Caller) {
    let program = program(place, "both").start();
    program.ready(2);
    let caller = Caller::of(&program);
    (program, caller)
}

pub(crate) fn calls_are_answered_by_all_workers(place: &Place) {
    let (program, mut caller) = both(place);
    let workers: HashSet<String> = program.children().iter().map(ToString::to_string).collect();
    let mut seen = HashSet::new();
    while seen.len() < 2 {
        seen.insert(caller.ask("who"));
    }
    assert_eq!(seen, workers);
    assert!(workers.contains(&caller.ask("on both-host")));
}

pub(crate) fn arguments_go_by_name_and_may_be_left_out(place: &Place) {
    let (_program, mut caller) = both(place);
    assert_eq!(caller.ask("echo a\u{1f980}\""), "a\u{1f980}\"a\u{1f980}\"!");
    assert_eq!(caller.ask("old ä"), "ä");
}

pub(crate) fn nothing_is_an_answer_too(place: &Place) {
    let (_program, mut caller) = both(place);
    assert_eq!(caller.ask("void"), "()");
    assert_eq!(caller.ask("odd 3"), "Some(3)");
    assert_eq!(caller.ask("odd 4"), "None");
}

pub(crate) fn a_typed_error_arrives_as_itself(place: &Place) {
    let (_program, mut caller) = both(place);
    assert_eq!(caller.ask("refuse much"), "Err(Expected(TooMuch(7)))");
    let missing = r#"Err(Expected(Missing { name: "ä\0" }))"#;
    assert_eq!(caller.ask("refuse missing"), missing);
    assert_eq!(caller.ask("refuse"), "Err(Expected(Closed))");
}

pub(crate) fn any_other_error_stays_in_the_log_of_its_server(place: &Place) {
    let (program, mut caller) = both(place);
    let answer = caller.ask("fail");
    assert!(
        answer.contains("`fail` failed, and the log of its server says why"),
        "{answer}"
    );
    assert!(
        !answer.contains("password") && !answer.contains("log in"),
        "{answer}"
    );
    let line = program.wait_for("call failed: cannot log in: the password is wrong");
    let id: String = field(&line, "id");
    assert!(answer.contains(id.trim_matches('"')), "{answer} {line}");
    let answer = caller.ask("panic");
    assert!(!answer.contains("purpose"), "{answer}");
    program.wait_for("call failed: it panicked: on purpose");
    assert_eq!(caller.ask("echo on"), "onon!");
}

pub(crate) fn a_call_in_time_ends_in_time_and_its_handler_is_told(place: &Place) {
    let (program, mut caller) = both(place);
    // A connection that has to be made first is none of the time that is measured.
    assert!(caller.ask("who").parse::<u32>().is_ok());
    let answer = caller.ask("timeout");
    assert_eq!(answer, "error no answer of `callee` to `hang` within 50ms");
    program.wait_for("nobody waits");
}

pub(crate) fn what_nobody_serves_is_refused_at_once(place: &Place) {
    let (_program, mut caller) = both(place);
    let answer = caller.ask("nothing nowhere/at all");
    assert_eq!(
        answer,
        "error nobody serves `nowhere/at all`, so `who` was not called"
    );
    let answer = caller.ask("on ../other");
    assert_eq!(
        answer,
        "error nobody serves `callee` on `../other`, so `who` was not called"
    );
    let answer = caller.ask("newer");
    assert!(
        answer.contains("does not support RPC version 1.9"),
        "{answer}"
    );
}

pub(crate) fn a_message_above_the_limit_is_not_sent(place: &Place) {
    let (_program, mut caller) = both(place);
    assert_eq!(caller.ask("large 10000000"), "10000000");
    let answer = caller.ask("large 17000000");
    assert!(
        answer.contains("is larger than `rpc.max_message`, which is 16777216 bytes"),
        "{answer}"
    );
    assert_eq!(caller.ask("large 5"), "5");
}

pub(crate) fn context_and_deadline_go_on_with_nested_calls(place: &Place) {
    let (_program, mut caller) = both(place);
    assert_eq!(caller.ask("context ada"), r#"Some("ada") true"#);
}

pub(crate) fn a_cast_reaches_one_and_everywhere_all(place: &Place) {
    let (program, mut caller) = both(place);
    assert_eq!(caller.ask("all to all"), "ok");
    for _ in 0..2 {
        program.wait_for("noted to all");
    }
    assert_eq!(caller.ask("note to one"), "ok");
    program.wait_for("noted to one");
    assert_eq!(caller.ask("all end"), "ok");
    program.wait_for("noted end");
    assert_eq!(program.lines().with("noted to one").len(), 1);
}

#[test]
fn a_directory_that_others_can_reach_into_is_refused() {
    let place = &Place::local();
    let path = place.path("rpc");
    std::fs::create_dir(&path).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let (code, _, log) = program(place, "both").run();
    assert_eq!(code, 1, "{log}");
    assert!(
        log.contains("with mode 700, and it is one of user"),
        "{log}"
    );
}
