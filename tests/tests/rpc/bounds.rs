//! What bounds calls: sizes, slots, sockets, and what a call leaves behind.

use std::fs;
use std::path::Path;

use nix::sys::signal::Signal;
use tests::harness::{Fixture, descriptors, kill, until};

use super::place::Place;
use super::{Caller, program};

fn callee_and_caller(place: &Place, args: &[&str]) -> (Fixture, Fixture) {
    let callee = program(place, "callee").args(args).start();
    let workers = args.iter().position(|arg| *arg == "--workers");
    callee.ready(workers.map_or(2, |place| args[place + 1].parse().unwrap()));
    let caller = program(place, "caller").args(["--workers", "1"]).start();
    caller.ready(1);
    (callee, caller)
}

fn sockets(place: &Place, kind: &str) -> usize {
    let folder = place.path("rpc").join("openstack/callee");
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let is_kind = |path: &Path| path.extension().is_some_and(|end| end == kind);
    entries.filter(|path| is_kind(path)).count()
}

pub(crate) fn an_answer_above_the_limit_is_an_error_that_names_it(place: &Place) {
    let (callee, caller) = callee_and_caller(place, &[]);
    let mut caller = Caller::of(&caller);
    assert_eq!(caller.ask("blob 16000000"), "16000000");
    let answer = caller.ask("blob 17000000");
    let named = "is larger than `rpc.max_message`, which is 16777216 bytes";
    assert!(answer.contains(named), "{answer}");
    callee.wait_for("cannot answer: a message of 17000");
    assert_eq!(caller.ask("blob 1"), "1");
}

#[test]
fn the_socket_of_a_killed_worker_is_removed_and_nobody_waits_for_it() {
    let place = &Place::local();
    let (callee, caller) = callee_and_caller(place, &[]);
    let mut caller = Caller::of(&caller);
    for _ in 0..3 {
        kill(callee.children()[0], Signal::SIGKILL);
        callee.ready_worker();
    }
    assert_eq!(caller.ask("all hello"), "ok");
    for _ in 0..2 {
        callee.wait_for("noted hello");
    }
    assert_eq!((sockets(place, "worker"), sockets(place, "ping")), (2, 2));
}

pub(crate) fn everywhere_tells_all_workers_at_once(place: &Place) {
    let (callee, caller) = callee_and_caller(place, &["--workers", "4"]);
    let mut caller = Caller::of(&caller);
    let stopped = callee.children()[0];
    kill(stopped, Signal::SIGSTOP);
    caller.say("all hello");
    // The one that is stopped does not keep the others waiting, wherever it stands among them.
    for _ in 0..3 {
        callee.wait_for("noted hello");
    }
    kill(stopped, Signal::SIGCONT);
    callee.wait_for("noted hello");
    assert_eq!(caller.answer(), "ok");
}

pub(crate) fn ten_thousand_timeouts_leave_nothing(place: &Place) {
    let (callee, caller) = callee_and_caller(place, &[]);
    let mut asked = Caller::of(&caller);
    // Connections of its own, as many as it keeps.
    asked.ask("timeouts 640");
    let worker = caller.children()[0];
    let servers = callee.children();
    until("the handlers of the first calls end", || {
        asked.ask("who");
        servers.iter().all(|server| descriptors(*server) < 64)
    });
    let before = descriptors(worker);
    let mut timeouts = 0;
    for _ in 0..4 {
        timeouts += asked.ask("timeouts 2560").parse::<u32>().unwrap();
    }
    // A handler that is told in time that nobody waits has answered in time.
    assert!(timeouts > 9_000, "{timeouts}");
    until("nothing is left of calls that timed out", || {
        asked.ask("who");
        let servers = servers.iter().all(|server| descriptors(*server) < 64);
        servers && descriptors(worker) <= before
    });
}

pub(crate) fn calls_above_the_slots_wait_and_lose_nothing(place: &Place) {
    let (callee, caller) = callee_and_caller(place, &["--set", "rpc.slots=2", "--workers", "1"]);
    let mut callers: Vec<_> = (0..16).map(|_| Caller::of(&caller)).collect();
    for caller in &mut callers {
        caller.say("slow 20");
    }
    for caller in &mut callers {
        let answer = caller.answer();
        assert!(answer.parse::<u32>().is_ok(), "{answer}");
    }
    assert_eq!(callee.lines().with("begun slow").len(), 16);
}

pub(crate) fn calls_that_wait_longer_than_the_monitor_are_not_lost(place: &Place) {
    place.notice_deaths();
    // More than wait in the worker itself, and for longer than nothing may be heard of a call.
    let (callee, caller) = callee_and_caller(place, &["--set", "rpc.slots=1", "--workers", "1"]);
    let mut callers: Vec<_> = (0..40).map(|_| Caller::of(&caller)).collect();
    for caller in &mut callers {
        caller.say("slow 80");
    }
    for caller in &mut callers {
        let answer = caller.answer();
        assert!(answer.parse::<u32>().is_ok(), "{answer}");
    }
    assert_eq!(callee.lines().with("begun slow").len(), 40);
}
