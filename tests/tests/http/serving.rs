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
fn a_wrong_value_is_a_wrong_configuration_that_names_key_and_reason() {
    for (key, value, reason) in [
        ("socket_mode", "1777", "expected nine bits in octal"),
        (
            "socket_owner",
            "nobody-at-all",
            "has no user `nobody-at-all`",
        ),
        (
            "socket_group",
            "nobody-at-all",
            "has no group `nobody-at-all`",
        ),
        (
            "trusted_proxies",
            "[\"10.0.0.0/33\"]",
            "`10.0.0.0/33` is neither an address",
        ),
        ("bind", "[]", "address"),
        (
            "tls.min_version",
            "1.1",
            "expected `1.2` or `1.3`, found `1.1`",
        ),
        (
            "tls.cert",
            "/nowhere.pem",
            "tls.cert: given without `tls.key`",
        ),
        (
            "tls.key",
            "/nowhere.key",
            "tls.key: given without `tls.cert`",
        ),
        ("tls.more", "[{cert=\"a\",keys=\"b\"}]", "keys"),
    ] {
        let (code, _, log) = fixture!("web")
            .args(["--set", "web.bind=127.0.0.1:0"])
            .args(["--set", &format!("web.{key}={value}")])
            .run();
        assert_eq!(code, 78, "{key}: {log}");
        let name = key.rsplit('.').next().unwrap();
        assert!(log.contains(name) && log.contains(reason), "{key}: {log}");
        assert!(log.contains("--set"), "{key}: {log}");
    }
}

#[test]
fn files_of_tls_that_cannot_be_read_are_a_wrong_configuration() {
    let folder = tests::harness::Scratch::new();
    let (cert, key) = super::tls::pair(&folder, "good");
    let empty = folder.write("empty", "").display().to_string();
    let gone = folder.path("gone").display().to_string();
    for (cert, key, ca, named) in [
        (&gone, &key, &cert, &gone),
        (&empty, &key, &cert, &empty),
        (&cert, &gone, &cert, &gone),
        (&cert, &empty, &cert, &empty),
        (&cert, &key, &gone, &gone),
        (&cert, &key, &empty, &empty),
    ] {
        let (code, _, log) = fixture!("web")
            .args(["--set", "web.bind=127.0.0.1:0"])
            .args(["--set", &format!("web.tls.cert={cert}")])
            .args(["--set", &format!("web.tls.key={key}")])
            .args(["--set", &format!("web.tls.client_ca={ca}")])
            .run();
        assert_eq!(code, 78, "{log}");
        assert!(log.contains(named), "{named}: {log}");
    }
}

#[test]
fn a_socket_file_belongs_to_whom_the_table_names() {
    use std::os::unix::fs::MetadataExt;
    let folder = tests::harness::Scratch::new();
    let own = std::fs::metadata(folder.path(".")).unwrap();
    let bind = format!(
        "bind=[\"127.0.0.1:0\", \"unix:{}\"]",
        folder.path("s").display()
    );
    // Only the superuser may give a file away.
    let is_root = own.uid() == 0;
    let (user, group) = if is_root {
        (12345, 23456)
    } else {
        (own.uid(), own.gid())
    };
    let keys = [
        format!("socket_owner={user}"),
        format!("socket_group={group}"),
    ];
    let (_web, _) = web(1, &[&bind, &keys[0], &keys[1]]);
    let found = std::fs::metadata(folder.path("s")).unwrap();
    assert_eq!((found.uid(), found.gid()), (user, group));
}

#[test]
fn health_is_told_on_a_listener_of_its_own_alone() {
    let folder = tests::harness::Scratch::new();
    let socket = folder.path("health");
    let bind = format!("health_bind=unix:{}", socket.display());
    let (_web, address) = web(1, &[&bind, "max_connections=1"]);
    let mut client = Client::connect(&address).unwrap();
    assert_eq!(client.get("/healthz").unwrap().status, 404);
    // The only connection for others is taken.
    for (path, status) in [("/healthz", "200"), ("/readyz", "200"), ("/", "404")] {
        let mut stream = std::os::unix::net::UnixStream::connect(&socket).unwrap();
        let text = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        std::io::Write::write_all(&mut stream, text.as_bytes()).unwrap();
        let answer = std::io::read_to_string(stream).unwrap();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{path}: {answer}"
        );
    }
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
    let span = "request{method=GET path=\"/panic\" id=mine trace_id=";
    assert!(line.contains(span), "{line}");
    web.wait_for("access: GET /panic?a=b 500 0 192.0.2.1 mine");
}

#[test]
fn what_a_handler_logs_names_its_request_unless_that_is_switched_off() {
    let get = "GET /slow/1 HTTP/1.1\r\nHost: x\r\nX-Request-Id: mine\r\n\r\n";
    for (on, named) in [("true", true), ("false", false)] {
        let (web, address) = web(1, &[&format!("request_span={on}")]);
        let mut client = Client::connect(&address).unwrap();
        client.send(get).unwrap();
        let line = web.wait_for("slow request begins");
        let span = "request{method=GET path=\"/slow/1\" id=mine trace_id=";
        assert_eq!(line.contains(span), named, "{line}");
    }
}

#[test]
fn the_supervisor_reports_what_each_worker_has_answered() {
    let (web, address) = web(1, &[]);
    let mut client = Client::connect(&address).unwrap();
    for (path, status) in [
        ("/", 200),
        ("/pid", 200),
        ("/nowhere", 404),
        ("/panic", 500),
    ] {
        assert_eq!(client.get(path).unwrap().status, status);
    }
    // Neither counts, for nobody was served.
    assert_eq!(client.get("/healthz").unwrap().status, 200);
    client
        .send("GET /slow/60000 HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    web.wait_for("slow request begins");
    web.signal(Signal::SIGUSR1);
    let line = web.wait_for("report: worker");
    assert!(line.contains("requests=5"), "{line}");
    let line = web.wait_for("report:   http ");
    let figures = "in_flight=1 ended=4 without_answer=0 1xx=0 2xx=2 3xx=0 4xx=1 5xx=1 mean=";
    assert!(line.contains(figures), "{line}");
    drop(client);
    tests::harness::until("the request of a client that has gone has ended", || {
        web.signal(Signal::SIGUSR1);
        let line = web.wait_for("report:   http ");
        line.contains("in_flight=0 ended=5 without_answer=1")
    });
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
