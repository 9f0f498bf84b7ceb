//! What a broker adds: it goes away, comes back, stands still, and wants to know who asks.

use nix::sys::signal::Signal;
use tests::harness::{Scratch, until};

use super::broker::Broker;
use super::place::Place;
use super::{Caller, address_of, get, program};

#[test]
fn a_broker_that_restarts_is_connected_to_again() {
    let Some(mut place) = Place::nats() else {
        return;
    };
    let keys = ["--workers", "1", "--set", "rpc.ping_interval=50ms"];
    let front = program(&place, "front").args(keys).start();
    let address = address_of(&front);
    front.ready(1);
    let caller = program(&place, "caller").args(["--workers", "1"]).start();
    caller.ready(1);
    let mut asked = Caller::of(&caller);
    assert!(asked.ask("who").parse::<u32>().is_ok());
    place.broker.as_mut().unwrap().kill();
    front.wait_for("calls do not reach this worker: the broker is away");
    until("the worker is not ready", || {
        get(&address, "/readyz").0 == 503
    });
    caller.wait_for("to the broker is lost");
    let answer = asked.ask("who");
    assert!(answer.contains("the broker is away"), "{answer}");
    place.broker.as_mut().unwrap().again();
    front.wait_for("calls reach this worker again");
    until("the worker is ready", || get(&address, "/readyz").0 == 200);
    until("calls go on", || asked.ask("who").parse::<u32>().is_ok());
    let said = front.lines().with("calls do not reach this worker");
    let of_callee = said.iter().filter(|line| line.contains("topic=\"callee\""));
    assert_eq!(of_callee.count(), 1);
}

#[test]
fn a_broker_that_stands_still_costs_its_callers_their_time_and_no_more() {
    let Some(place) = Place::nats() else {
        return;
    };
    let both = program(&place, "both").args(["--workers", "1"]).start();
    both.ready(1);
    let mut caller = Caller::of(&both);
    assert!(caller.ask("who").parse::<u32>().is_ok());
    let broker = place.broker.as_ref().unwrap();
    broker.signal(Signal::SIGSTOP);
    assert_eq!(
        caller.ask("timeout"),
        "error no answer of `callee` to `hang` within 50ms"
    );
    broker.signal(Signal::SIGCONT);
    until("calls go on", || caller.ask("who").parse::<u32>().is_ok());
}

#[test]
fn a_program_starts_before_its_broker() {
    let Some(mut place) = Place::nats() else {
        return;
    };
    place.broker.as_mut().unwrap().kill();
    let both = program(&place, "both").args(["--workers", "1"]).start();
    both.wait_for("calls do not reach this worker: cannot connect to `nats://127.0.0.1:");
    place.broker.as_mut().unwrap().again();
    both.ready(1);
    let mut caller = Caller::of(&both);
    assert!(caller.ask("who").parse::<u32>().is_ok());
}

#[test]
fn a_password_is_checked_by_the_broker_and_shown_nowhere() {
    let scratch = Scratch::new();
    let users = r#"authorization { user: "ada", password: "s3cret-word" }"#;
    let Some(broker) = Broker::start_with(&scratch, users) else {
        return;
    };
    let url = format!("rpc.url={}", broker.url());
    let place = Place::local();
    let with = |password: &str| {
        let password = format!("rpc.password={password}");
        let keys = ["--set", &url, "--set", "rpc.user=ada", "--set", &password];
        program(&place, "both").args(keys).args(["--workers", "1"])
    };
    let refused = with("wr0ng-word").start();
    let line = refused.wait_for("calls do not reach this worker: cannot connect");
    assert!(line.contains("authorization"), "{line}");
    let right = with("s3cret-word").start();
    right.ready(1);
    assert!(Caller::of(&right).ask("who").parse::<u32>().is_ok());
    right.signal(Signal::SIGUSR1);
    right.wait_for("rpc method=who");
    for program in [&refused, &right] {
        for word in ["wr0ng-word", "s3cret-word"] {
            assert!(program.lines().with(word).is_empty(), "{word}");
        }
    }
}

#[test]
fn a_url_that_cannot_be_used_is_refused_before_anything_starts() {
    let place = Place::local();
    for (url, why) in [
        ("nast://127.0.0.1", "did you mean `nats`?"),
        (
            "nats://me:hunter2@127.0.0.1",
            "they belong in `rpc.user` and `rpc.password`",
        ),
        ("nats://127.0.0.1,:4222", "broker 2 has no address"),
    ] {
        let key = format!("rpc.url={url}");
        let (code, _, log) = program(&place, "both").args(["--set", &key]).run();
        assert_eq!(code, 78, "{log}");
        assert!(log.contains(why), "{log}");
        assert!(!log.contains("hunter2"), "{log}");
    }
}
