//! Whether a worker is ready: its own ping comes back; and who waits for it.

use std::fs;

use nix::sys::signal::Signal;
use tests::harness::{Fixture, until};

use super::place::Place;
use super::{Caller, address_of, get, program};

/// A program whose readiness HTTP shows, and its address.
fn front(place: &Place, keys: &[&str]) -> (Fixture, String) {
    let mut front = program(place, "front").args(["--workers", "1"]);
    for key in ["rpc.ping_interval=50ms"].iter().chain(keys) {
        front = front.args(["--set", key]);
    }
    let front = front.start();
    let address = address_of(&front);
    front.ready(1);
    (front, address)
}

/// Takes away the socket by which callers find the server, as what cleans directories of temporary files may.
fn remove_server_socket(place: &Place) {
    let rpc = place.path("rpc");
    fs::remove_file(rpc.join("openstack/callee/front-host.server")).unwrap();
}

#[test]
fn a_worker_that_calls_do_not_reach_is_not_ready_and_says_why_once() {
    let place = &Place::local();
    let (front, address) = front(place, &[]);
    assert_eq!(get(&address, "/readyz").0, 200);
    remove_server_socket(place);
    front.wait_for("calls do not reach this worker: callers cannot find");
    // An answer is kept for a moment, for all who ask in it.
    until("the worker is not ready", || {
        get(&address, "/readyz").0 == 503
    });
    // It tells who fails; why is for operators alone.
    let (_, body) = get(&address, "/readyz");
    let failed = r#""callee":{"phase":"ready","health":"fail""#;
    assert!(body.contains(failed), "{body}");
    front.signal(Signal::SIGUSR1);
    let row = front.wait_for("service name=callee ");
    assert!(
        row.contains("health=\"fail: calls of `callee` do not reach"),
        "{row}"
    );
    // Many pings later it was said once.
    for _ in 0..20 {
        assert_eq!(get(&address, "/readyz").0, 503);
    }
    assert_eq!(
        front.lines().with("calls do not reach this worker").len(),
        1
    );
}

#[test]
fn a_worker_that_need_not_be_reached_stays_ready_and_warns() {
    let place = &Place::local();
    let (front, address) = front(place, &["rpc.required=false"]);
    remove_server_socket(place);
    front.wait_for("calls do not reach this worker: callers cannot find");
    until("the worker warns", || {
        let (status, body) = get(&address, "/readyz");
        assert_eq!(status, 200, "{body}");
        body.contains(r#""callee":{"phase":"ready","health":"warn""#)
    });
}

pub(crate) fn every_topic_answers_the_pings_of_oslo_and_nova(place: &Place) {
    let program = program(place, "both").start();
    program.ready(2);
    let mut caller = Caller::of(&program);
    assert_eq!(caller.ask("ping callee"), "callee 5");
    assert_eq!(caller.ask("ping compute-admin"), "compute-admin 5");
    assert!(caller.ask("ping nobody").starts_with("error nobody serves"));
    // A method that it has, the same in a newer version, and one that the client does not have.
    assert_eq!(caller.ask("can"), "true false true");
}

pub(crate) fn pings_are_answered_while_all_slots_are_taken(place: &Place) {
    let (front, address) = front(place, &["rpc.slots=1"]);
    let caller = program(place, "caller").start();
    caller.ready(2);
    let mut hanging = Caller::of(&caller);
    hanging.say("hang");
    front.wait_for("hangs");
    for _ in 0..20 {
        assert_eq!(get(&address, "/readyz").0, 200);
    }
    assert!(front.lines().with("do not reach").is_empty());
}

pub(crate) fn a_client_waits_for_a_server_that_comes_later(place: &Place) {
    let caller = program(place, "caller").start();
    caller.ready(2);
    let mut waiting = Caller::of(&caller);
    waiting.say("wait");
    caller.wait_for("waiting for `compute`: nobody serves `compute`");
    let callee = program(place, "callee").start();
    callee.ready(2);
    assert_eq!(waiting.answer(), r#"Ok("build debian 0")"#);
    until("it was said once", || {
        caller.lines().with("waiting for").len() == 1
    });
}
