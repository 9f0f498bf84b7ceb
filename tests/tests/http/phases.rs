//! The two phases of a stop: what is in progress goes on as before, and what drives it ends last.

use nix::sys::signal::Signal;
use tests::fixture;
use tests::harness::Fixture;

use super::client::Client;
use super::start;

fn phases() -> (Fixture, String) {
    let program = fixture!("phases").arg("--workers").arg("1");
    start("phases", program, 1, &["linger=20s"])
}

#[test]
fn hooks_come_in_order_and_a_request_may_spawn_to_the_last() {
    let (phases, address) = phases();
    let mut client = Client::connect(&address).unwrap();
    client
        .send("GET /when-stopping HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    phases.wait_for("request waits for the stop");
    phases.signal(Signal::SIGTERM);
    let answer = client.answer().unwrap();
    assert_eq!((answer.status, &*answer.body), (200, "the part"));
    assert_eq!(phases.exit_code(), 0);
    let hooks: Vec<String> = phases
        .lines()
        .with("hook: ")
        .iter()
        .filter_map(|line| Some(line.split_once("hook: ")?.1.trim().to_owned()))
        .collect();
    let expected = [
        "init",
        "start",
        "ready",
        "stop, a late listen: refused",
        "stopped, 0 tasks",
        "driver dropped",
    ];
    assert_eq!(hooks, expected);
}

#[test]
fn no_request_fails_because_its_worker_is_being_replaced() {
    let (phases, address) = phases();
    for generation in 2..7 {
        let mut client = Client::connect(&address).unwrap();
        assert_eq!(client.get("/part").unwrap().body, "the part");
        let mut waiting = Client::connect(&address).unwrap();
        waiting
            .send("GET /when-stopping HTTP/1.1\r\nHost: x\r\n\r\n")
            .unwrap();
        phases.wait_for("request waits for the stop");
        phases.signal(Signal::SIGHUP);
        phases.wait_for(&format!("reloaded generation={generation}"));
        // Kept open by the old worker, which drains.
        let last = client.get("/part").unwrap();
        assert_eq!((last.status, &*last.body), (200, "the part"));
        assert_eq!(waiting.answer().unwrap().body, "the part");
    }
    phases.signal(Signal::SIGTERM);
    assert_eq!(phases.exit_code(), 0);
}
