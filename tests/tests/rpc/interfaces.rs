//! Interfaces of another crate: served, called and kept as they are.

use nix::sys::signal::Signal;
use service_runtime::rpc::check_surface;
use tests::compute::{AdminClient, ComputeClient};
use tests::harness::kill;

use super::place::Place;
use super::{Caller, program};

pub(crate) fn a_service_serves_two_interfaces_of_another_crate(place: &Place) {
    let program = program(place, "both").start();
    program.ready(2);
    let mut caller = Caller::of(&program);
    assert_eq!(caller.ask("build 2"), r#"Ok("build debian 0")"#);
    let refused = "Err(Expected(TooManyCores { wanted: 64 }))";
    assert_eq!(caller.ask("build 64"), refused);
    assert_eq!(caller.ask("forget it"), "ok");
    for _ in 0..2 {
        program.wait_for("forgotten it");
    }
    assert_eq!(caller.ask("count"), "7");
    // A method is found under the topic of its interface alone.
    let answer = caller.ask("nothing compute-admin");
    assert!(
        answer.contains("does not support RPC method who"),
        "{answer}"
    );
}

#[test]
fn the_wire_stays_as_it_is() {
    check_surface::<ComputeClient>("compute.rpc").unwrap();
    check_surface::<AdminClient>("compute-admin.rpc").unwrap();
}

pub(crate) fn an_idempotent_call_is_sent_again_when_its_server_died(place: &Place) {
    place.notice_deaths();
    let program = program(place, "callee").start();
    program.ready(2);
    let caller = super::program(place, "caller").start();
    caller.ready(2);
    let mut caller = Caller::of(&caller);
    let first = program.children()[0];
    let survivor = loop {
        // The kernel chooses the worker: until it is the one that is to die, others answer.
        caller.say(&format!("survive {first}"));
        let Some(answer) = caller.answer_or(|| !program.lines().with("dies").is_empty()) else {
            kill(first, Signal::SIGKILL);
            break caller.answer();
        };
        assert_ne!(answer, first.to_string());
    };
    assert!(survivor.parse::<u32>().is_ok(), "{survivor}");
    assert_ne!(survivor, first.to_string());
}
