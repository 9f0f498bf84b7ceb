//! What an author's routes are served with, and what becomes of a handler that panics.

use nix::sys::signal::Signal;
use tests::fixture;

use super::client::Client;
use super::web;

#[test]
fn a_service_is_served_on_every_address_of_its_table() {
    let folder = tests::harness::Scratch::new();
    let socket = folder.path("web.sock");
    let bind = format!("bind=[\"127.0.0.1:0\", \"unix:{}\"]", socket.display());
    let (web, address) = web(2, &[&bind, "socket_mode=600"]);
    let mut client = Client::connect(&address).unwrap();
    assert_eq!(client.get("/").unwrap().body, "hello");
    let mut stream = std::os::unix::net::UnixStream::connect(&socket).unwrap();
    let text = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    std::io::Write::write_all(&mut stream, text.as_bytes()).unwrap();
    let answer = std::io::read_to_string(stream).unwrap();
    assert!(answer.ends_with("hello"), "{answer}");
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&socket).unwrap());
    assert_eq!(mode & 0o777, 0o600);
    web.signal(Signal::SIGTERM);
    assert_eq!(web.exit_code(), 0);
    assert!(!socket.exists());
}

#[test]
fn a_panic_is_an_empty_500_and_neither_connection_nor_worker_dies() {
    let (web, address) = web(1, &[]);
    let mut client = Client::connect(&address).unwrap();
    let pid = client.get("/pid").unwrap().body;
    let answer = client.get("/panic").unwrap();
    assert_eq!(
        (answer.status, answer.body.as_str(), answer.closes()),
        (500, "", false)
    );
    web.wait_for("handler panicked: told to panic");
    assert_eq!(client.get("/pid").unwrap().body, pid);
}

#[test]
fn debug_shows_the_message_of_a_panic() {
    let (_web, address) = web(1, &["debug=true"]);
    let answer = Client::connect(&address).unwrap().get("/panic").unwrap();
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (500, "told to panic")
    );
}

#[test]
fn requests_count_towards_max_requests() {
    let (web, address) = web(1, &["launch.max_requests=3"]);
    let mut client = Client::connect(&address).unwrap();
    for _ in 0..3 {
        assert_eq!(client.get("/").unwrap().status, 200);
    }
    web.ready_worker();
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let (_web, address) = web(1, &[]);
    let mut client = Client::connect(&address).unwrap();
    let get = |path| format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    client
        .send(&format!("{}{}{}", get("/slow/50"), get("/"), get("/pid")))
        .unwrap();
    assert_eq!(client.answer().unwrap().body, "slow");
    assert_eq!(client.answer().unwrap().body, "hello");
    assert!(client.answer().unwrap().body.parse::<u32>().is_ok());
}

#[test]
fn a_client_that_shuts_its_side_gets_no_second_answer() {
    let (_web, address) = web(1, &[]);
    let mut client = Client::connect(&address).unwrap();
    client.get("/").unwrap();
    client.shut().unwrap();
    assert_eq!(client.rest().unwrap(), "");
}

#[test]
fn smuggled_requests_are_refused() {
    let (_web, address) = web(1, &[]);
    for head in [
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: +4\r\n\r\nabcd",
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nX-A: a\r\n b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
    ] {
        let mut client = Client::connect(&address).unwrap();
        client.send(head).unwrap();
        let answer = client.answer().unwrap();
        assert_eq!(answer.status, 400, "{head}: {answer:?}");
    }
}

#[test]
fn a_service_without_an_address_is_a_wrong_configuration() {
    let (code, _, log) = fixture!("web").run();
    assert_eq!(code, 78);
    assert!(log.contains("[web] bind: required and not set"), "{log}");
}

#[test]
fn a_wrong_address_is_a_wrong_configuration() {
    let (code, _, log) = fixture!("web").args(["--set", "web.bind=nonsense"]).run();
    assert_eq!(code, 78);
    assert!(
        log.contains("[web] bind: `nonsense` is not an address"),
        "{log}"
    );
}

#[test]
fn a_request_has_an_id_the_clients_own_or_a_new_one() {
    let (web, address) = web(
        1,
        &[
            "access_log={method} {path} {status} {length} {client} {id}",
            "trusted_proxies=[\"127.0.0.1\"]",
        ],
    );
    let mut client = Client::connect(&address).unwrap();
    let made = client.get("/").unwrap().header("x-request-id").unwrap();
    assert_eq!(made.len(), 32);
    web.wait_for(&format!("access: GET / 200 5 127.0.0.1 {made}"));
    client
        .send("GET /panic?a=b HTTP/1.1\r\nHost: x\r\nX-Request-Id: mine\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n")
        .unwrap();
    assert_eq!(
        client.answer().unwrap().header("x-request-id").unwrap(),
        "mine"
    );
    let line = web.wait_for("handler panicked: told to panic");
    assert!(line.contains("request_id=\"mine\""), "{line}");
    web.wait_for("access: GET /panic?a=b 500 0 192.0.2.1 mine");
}

#[test]
fn readiness_goes_before_the_listener_does() {
    let (web, address) = web(1, &["drain_delay=1s", "linger=50ms"]);
    let mut client = Client::connect(&address).unwrap();
    assert_eq!(client.get("/healthz").unwrap().status, 200);
    let answer = client.get("/readyz").unwrap();
    assert_eq!(answer.status, 200);
    let body = r#"{"status":"pass","services":{"web":{"phase":"ready","health":"pass","age_ms":"#;
    assert!(answer.body.starts_with(body), "{answer:?}");
    web.signal(Signal::SIGTERM);
    web.wait_for("no longer ready");
    let answer = client.get("/readyz").unwrap();
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(client.get("/healthz").unwrap().status, 200);
    assert_eq!(web.exit_code(), 0);
}

#[test]
fn a_body_that_nobody_reads_is_no_surprise_to_the_client() {
    let (_web, address) = web(1, &[]);
    let mut client = Client::connect(&address).unwrap();
    let body = "b".repeat(1_000_000);
    client
        .send(&format!(
            "POST /ignore HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n{body}"
        ))
        .unwrap();
    let answer = client.answer().unwrap();
    assert_eq!((answer.status, answer.closes()), (200, true));
}
