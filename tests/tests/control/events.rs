//! Events: the state first, then each change, from where a client has stopped reading.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use nix::sys::signal::Signal;
use serde_json::Value;
use tests::fixture;
use tests::harness::{LIMIT, Lines, Scratch, ask, kill};

/// Follows the events of a program; each is a pair of its number and what it tells.
fn follow(socket: &Path, last: Option<&str>) -> impl Iterator<Item = (String, Value)> + use<> {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let known = last.map_or_else(String::new, |id| format!("Last-Event-ID: {id}\r\n"));
    write!(stream, "GET /v1/events HTTP/1.0\r\n{known}\r\n").unwrap();
    let mut id = String::new();
    BufReader::new(stream).lines().filter_map(move |line| {
        let line = line.unwrap();
        if let Some(number) = line.strip_prefix("id: ") {
            number.clone_into(&mut id);
        }
        let data = line.strip_prefix("data: ")?;
        Some((id.clone(), serde_json::from_str(data).unwrap()))
    })
}

#[test]
fn a_client_gets_the_state_and_then_each_event_and_goes_on_where_it_stopped() {
    let scratch = Scratch::new();
    let socket = scratch.path("admin.sock");
    let program = fixture!("greeter").arg("--admin").arg(&socket).start();
    let workers = program.ready(2);
    let mut events = follow(&socket, None);
    let (_, snapshot) = events.next().unwrap();
    assert_eq!(snapshot["event"], "snapshot");
    assert_eq!(snapshot["workers"].as_array().unwrap().len(), 2);
    kill(workers[0].pid, Signal::SIGKILL);
    let (died_at, died) = events.next().unwrap();
    assert_eq!(
        (&died["event"], &died["pid"]),
        (&"worker_died".into(), &workers[0].pid.as_raw().into())
    );
    let (ready_at, ready) = events.next().unwrap();
    assert_eq!(
        (&ready["event"], &ready["slot"]),
        (&"worker_ready".into(), &0.into())
    );
    drop(events);

    // Who has seen the death gets what came after it, whoever answers now.
    let mut again = follow(&socket, Some(&died_at));
    assert_eq!(again.next().unwrap(), (ready_at, ready));
    ask(&socket, "POST", "/v1/orders/reload");
    let names: Vec<String> = again
        .by_ref()
        .map(|(_, event)| event["event"].as_str().unwrap().to_owned())
        .take_while(|name| name != "order")
        .collect();
    assert_eq!(names.first().map(String::as_str), Some("reloading"));
    assert_eq!(names.last().map(String::as_str), Some("reloaded"));
    program.signal(Signal::SIGTERM);
    let (_, ended) = again.last().unwrap();
    assert_eq!(
        (&ended["event"], &ended["exit_code"]),
        (&"ended".into(), &0.into())
    );
}

#[test]
fn the_command_follows_events_until_the_program_ends() {
    let scratch = Scratch::new();
    let socket = scratch.path("admin.sock");
    let program = fixture!("greeter").arg("--admin").arg(&socket).start();
    let workers = program.ready(2);
    let command = fixture!("greeter")
        .args(["ctl", "events", "-f", "--socket"])
        .arg(&socket)
        .start();
    let out: &Lines = command.stdout();
    out.wait_for("2 workers");
    kill(workers[1].pid, Signal::SIGKILL);
    let died = out.wait_for("worker_died ");
    assert!(
        died.contains(&format!(" pid={} ", workers[1].pid)),
        "{died}"
    );
    program.ready_worker();
    program.signal(Signal::SIGTERM);
    out.wait_for("ended exit_code=0");
    assert_eq!(command.exit_code(), 0);
}
