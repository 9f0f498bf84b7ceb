//! Requests that one program takes for one and another for two, and clients that are slow on purpose.

use std::time::{Duration, Instant};

use tests::harness::Fixture;

use super::client::Client;
use super::scale::memory;
use super::web;

/// Sends a text on a connection of its own and returns all that comes back.
fn all_of(address: &str, text: &str) -> String {
    let mut client = Client::connect(address).unwrap();
    client.send(text).unwrap();
    client.shut().unwrap();
    client.rest().unwrap()
}

#[test]
fn what_can_be_read_in_two_ways_is_refused() {
    let (_web, address) = web(1, &[]);
    // Were the body taken to end early, `/pid` would be a request of its own.
    let hidden = "GET /pid HTTP/1.1\r\nHost: x\r\n\r\n";
    for (what, text) in [
        (
            "two lengths",
            format!(
                "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd{hidden}"
            ),
        ),
        (
            "a length with a sign",
            format!("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: +4\r\n\r\nabcd{hidden}"),
        ),
        (
            "chunked, but not last",
            format!(
                "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{hidden}"
            ),
        ),
        (
            "chunked in HTTP/1.0",
            format!(
                "POST /echo HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}"
            ),
        ),
        (
            "a header folded over two lines",
            format!("GET / HTTP/1.1\r\nHost: x\r\nX-A: a\r\n b\r\n\r\n{hidden}"),
        ),
        (
            "a space before the colon",
            format!("GET / HTTP/1.1\r\nHost : x\r\n\r\n{hidden}"),
        ),
        (
            "a bare CR in a header",
            format!("GET / HTTP/1.1\r\nHost: x\rX-A: b\r\n\r\n{hidden}"),
        ),
    ] {
        let answers = all_of(&address, &text);
        assert!(answers.starts_with("HTTP/1.1 400 "), "{what}: {answers}");
        assert_eq!(answers.matches("HTTP/1.1 ").count(), 1, "{what}: {answers}");
    }
}

#[test]
fn a_body_with_a_length_and_in_chunks_is_read_in_chunks_and_is_the_last() {
    let (_web, address) = web(1, &[]);
    for lengths in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
    ] {
        let text = format!(
            "POST /echo HTTP/1.1\r\nHost: x\r\n{lengths}\r\n\r\n3\r\nabc\r\n0\r\n\r\n\
             GET /pid HTTP/1.1\r\nHost: x\r\n\r\n"
        );
        let answers = all_of(&address, &text);
        assert!(answers.starts_with("HTTP/1.1 200 "), "{answers}");
        assert!(answers.contains("connection: close"), "{answers}");
        assert!(answers.ends_with("abc"), "{answers}");
    }
}

#[test]
fn a_line_of_a_chunk_that_ends_in_a_bare_line_feed_is_refused() {
    let (_web, address) = web(1, &[]);
    for body in [
        "3\nabc\r\n0\r\n\r\n",
        "3\r\nabc\n0\r\n\r\n",
        "3;a\nb\r\nabc\r\n0\r\n\r\n",
    ] {
        let text = format!(
            "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{body}\
             GET /pid HTTP/1.1\r\nHost: x\r\n\r\n"
        );
        let answers = all_of(&address, &text);
        assert!(answers.starts_with("HTTP/1.1 400 "), "{body:?}: {answers}");
        assert_eq!(
            answers.matches("HTTP/1.1 ").count(),
            1,
            "{body:?}: {answers}"
        );
    }
}

#[test]
fn trailers_after_chunks_belong_to_the_body() {
    let (_web, address) = web(1, &[]);
    let mut client = Client::connect(&address).unwrap();
    client
        .send(
            "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n\
             3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n",
        )
        .unwrap();
    assert_eq!(client.answer().unwrap().body, "abcde");
    assert_eq!(client.rest().unwrap(), "");
}

#[test]
fn a_hundred_pipelined_requests_are_answered_in_order() {
    let (_web, address) = web(1, &[]);
    let mut client = Client::connect(&address).unwrap();
    let text: String = (0..100)
        .map(|number| {
            let body = format!("body {number}");
            let length = body.len();
            format!("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{body}")
        })
        .collect();
    client.send(&text).unwrap();
    for number in 0..100 {
        assert_eq!(client.answer().unwrap().body, format!("body {number}"));
    }
}

/// Lets clients hold connections as only they can, while one that behaves asks on; returns the
/// longest time that one took, and by how much the worker's memory grew.
fn others_are_served(web: &Fixture, address: &str, hold: impl FnOnce() -> Vec<Client>) -> u64 {
    let worker = web.children()[0];
    let mut decent = Client::connect(address).unwrap();
    decent.get("/").unwrap();
    let before = memory(worker);
    let mut held = hold();
    let mut longest = Duration::ZERO;
    for _ in 0..50 {
        let begun = Instant::now();
        assert_eq!(decent.get("/").unwrap().body, "hello");
        longest = longest.max(begun.elapsed());
    }
    let grown = memory(worker).saturating_sub(before);
    println!(
        "{} slow clients: the worker grew by {grown} KiB, another waited {longest:?} at most",
        held.len()
    );
    // Generous: these machines are busy.
    assert!(longest < Duration::from_secs(5), "{longest:?}");
    // Every one of them is sent away in the end.
    for client in &mut held {
        let _ = client.rest();
    }
    assert_eq!(decent.get("/").unwrap().body, "hello");
    grown
}

#[test]
fn a_thousand_heads_that_do_not_end_keep_nobody_from_being_served() {
    let (web, address) = web(1, &["head_timeout=3s"]);
    let grown = others_are_served(&web, &address, || {
        let half = |number| {
            let mut client = Client::connect(&address).unwrap();
            let text = format!("GET / HTTP/1.1\r\nHost: x\r\nX-Number: {number}");
            client.send(&text).unwrap();
            client
        };
        (0..1000).map(half).collect()
    });
    assert!(grown < 40 * 1024, "{grown} KiB");
}

#[test]
fn a_thousand_bodies_that_do_not_end_keep_nobody_from_being_served() {
    let (web, address) = web(1, &["body_timeout=3s"]);
    let grown = others_are_served(&web, &address, || {
        let half = |_| {
            let mut client = Client::connect(&address).unwrap();
            let head = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n";
            client.send(&format!("{head}a piece")).unwrap();
            client
        };
        (0..1000).map(half).collect()
    });
    assert!(grown < 60 * 1024, "{grown} KiB");
}

#[test]
fn answers_that_nobody_takes_keep_nobody_from_being_served() {
    let (web, address) = web(1, &["send_timeout=2s", "launch.log_level=debug"]);
    const CLIENTS: usize = 50;
    others_are_served(&web, &address, || {
        let ask = |_| {
            let mut client = Client::connect(&address).unwrap();
            let get = "GET /big/20000000 HTTP/1.1\r\nHost: x\r\n\r\n";
            client.send(get).unwrap();
            client
        };
        let clients: Vec<_> = (0..CLIENTS).map(ask).collect();
        for _ in 0..CLIENTS {
            web.wait_for("connection cut");
        }
        clients
    });
}
