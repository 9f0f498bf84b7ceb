//! The access log: every request once, in the form that was asked for.

use std::io::Write;

use http::Request;
use nix::sys::signal::Signal;
use serde_json::Value;
use tests::fixture;
use tests::harness::{Fixture, Scratch};

use super::client::Client;
use super::http2::{connect, run};
use super::http2_rules::{greeted, ping};
use super::load::Target;
use super::{tls, web};

#[test]
fn a_log_of_json_has_the_fields_of_a_request_as_fields() {
    let web = fixture!("web").args(["--workers", "1", "--set", "web.bind=127.0.0.1:0"]);
    let web = web.args(["--set", "web.access_log=json", "--log-format", "json"]);
    let web = web.start();
    let line = web.wait_for("listening on 127.0.0.1:");
    let address = line.split("listening on ").nth(1).unwrap();
    let address = address.split('"').next().unwrap();
    let mut client = Client::connect(address).unwrap();
    client
        .send("GET /pid?a=b HTTP/1.1\r\nHost: x\r\nUser-Agent: a\"b\r\n\r\n")
        .unwrap();
    assert_eq!(client.answer().unwrap().status, 200);
    let line = web.wait_for("\"access\"");
    let value: Value = serde_json::from_str(&line).unwrap();
    let fields = value.get("fields").unwrap_or(&value);
    assert_eq!(fields["status"], 200, "{line}");
    assert_eq!(fields["method"], "GET", "{line}");
    assert_eq!(fields["path"], "/pid?a=b", "{line}");
    assert_eq!(fields["agent"], "a\"b", "{line}");
    assert_eq!(fields["client"], "127.0.0.1", "{line}");
    assert!(
        fields["seconds"].is_f64() && fields["length"].is_u64(),
        "{line}"
    );
}

#[test]
fn what_the_parser_refuses_and_what_a_client_leaves_is_logged_once() {
    let (web, address) = web(1, &["access_log=<{method} {path} {status}>"]);
    let mut client = Client::connect(&address).unwrap();
    client.send("GET / HTTP/1.1\r\nHost : x\r\n\r\n").unwrap();
    assert!(client.rest().unwrap().starts_with("HTTP/1.1 400 "));
    web.wait_for("access: <- - 400>");
    let mut client = Client::connect(&address).unwrap();
    let long = "v".repeat(100_000);
    // It may be answered before all of it is sent.
    let _ = client.send(&format!("GET / HTTP/1.1\r\nHost: x\r\nX: {long}\r\n\r\n"));
    web.wait_for("access: <- - 431>");
    let mut client = Client::connect(&address).unwrap();
    client
        .send("GET /slow/30000 HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    web.wait_for("slow request begins");
    drop(client);
    web.wait_for("access: <GET /slow/30000 499>");
}

#[test]
fn probes_can_be_left_out() {
    let keys = [
        "access_log=<{path}>",
        "access_log_exclude=[\"/healthz\", \"/status/*\"]",
    ];
    let (web, address) = web(1, &keys);
    let mut client = Client::connect(&address).unwrap();
    for path in ["/healthz", "/status/200", "/pid"] {
        assert_eq!(client.get(path).unwrap().status, 200);
    }
    web.wait_for("access: </pid>");
    web.signal(Signal::SIGTERM);
    assert_eq!(web.exit_code(), 0);
    web.lines().wait_for_end();
    let log = web.lines().to_string();
    assert!(
        !log.contains("</healthz>") && !log.contains("</status"),
        "{log}"
    );
}

#[test]
fn a_format_that_is_none_is_refused_with_the_configuration() {
    for (format, reason) in [
        ("txet", "expected `off`, `text`, `json` or a format"),
        ("{methd}", "unknown field `{methd}`"),
        ("{method", "`{` without `}`"),
    ] {
        let web = fixture!("web").arg("--set").arg("web.bind=127.0.0.1:0");
        let web = web
            .arg("--set")
            .arg(format!("web.access_log={format}"))
            .start();
        assert_eq!(web.exit_code(), 78, "{format}");
        web.wait_for(reason);
    }
}

/// What a line says that was sent, of an answer with this path.
fn sent(web: &Fixture, path: &str) -> usize {
    let start = format!("access: <GET {path} 200 ");
    let line = web.wait_for(&start);
    let length = line
        .split(&start)
        .nth(1)
        .and_then(|rest| rest.split('>').next());
    length.unwrap().parse().unwrap()
}

const LENGTH: &str = "access_log=<{method} {path} {status} {length}>";

#[test]
fn an_answer_that_is_cut_is_logged_with_the_bytes_that_were_sent() {
    let folder = Scratch::new();
    let server = tls::server(&folder);
    let keys = [
        format!("tls.cert={}", server.cert),
        format!("tls.key={}", server.key),
    ];
    let (plain, address) = web(1, &[LENGTH]);
    let (secure, secure_address) = web(1, &[LENGTH, &keys[0], &keys[1]]);
    let one = Client::connect(&address).unwrap();
    let other = Client::secure(&secure_address, &server.client()).unwrap();
    for (web, mut client) in [(&plain, one), (&secure, other)] {
        client
            .send("GET /big/60000000 HTTP/1.1\r\nHost: x\r\n\r\n")
            .unwrap();
        client.head().unwrap();
        drop(client);
        let length = sent(web, "/big/60000000");
        assert!((1..60_000_000).contains(&length), "{length}");
    }
    let mut client = Client::connect(&address).unwrap();
    assert_eq!(client.get("/big/3000000").unwrap().body.len(), 3_000_000);
    assert_eq!(sent(&plain, "/big/3000000"), 3_000_000);
    client.get("/pieces/3/1").unwrap();
    assert_eq!(sent(&plain, "/pieces/3/1"), "piece 0\n".len() * 3);
}

#[test]
fn an_answer_of_http2_is_logged_with_what_its_window_let_through() {
    let (web, address) = web(1, &[LENGTH]);
    let target = Target {
        address: address.clone(),
        tls: None,
    };
    run(async {
        let mut client = connect(&target).await.unwrap();
        let request = Request::get(format!("http://{address}/big/1000000"));
        let (answer, _) = client
            .send_request(request.body(()).unwrap(), true)
            .unwrap();
        let mut body = answer.await.unwrap().into_body();
        let mut read = 0;
        // The window is never opened again.
        while read < 65_535 {
            read += body.data().await.unwrap().unwrap().len();
        }
    });
    assert_eq!(sent(&web, "/big/1000000"), 65_535);
}

#[test]
fn what_http2_refuses_by_itself_is_logged_once() {
    let (web, address) = web(
        1,
        &["access_log=<{method} {path} {status}>", "head_max=8KiB"],
    );
    let mut stream = greeted(&address);
    let mut head = |id: u8, block: &[u8]| {
        let [.., a, b, c] = u32::try_from(block.len()).unwrap().to_be_bytes();
        let frame = [&[a, b, c, 1, 5, 0, 0, 0, id], block].concat();
        stream.write_all(&frame).unwrap();
    };
    let get = [0x82, 0x84, 0x86, 0x41, 1, b'x'];
    head(1, &get);
    web.wait_for("access: <GET / 200>");
    // No path, which is malformed.
    head(3, &[0x82, 0x86, 0x41, 1, b'x']);
    web.wait_for("access: <- - 400>");
    // A header of 10,000 bytes: literal, without indexing, name and value with their lengths.
    let mut long = get.to_vec();
    long.extend([0x00, 1, b'v', 0x7f, 0x91, 0x4d]);
    long.extend([b'v'; 10_000]);
    head(5, &long);
    web.wait_for("access: <- - 431>");
    head(7, &long);
    head(9, &get);
    ping(&mut stream, 1);
    drop(stream);
    web.signal(Signal::SIGTERM);
    assert_eq!(web.exit_code(), 0);
    web.lines().wait_for_end();
    let log = web.lines().to_string();
    let statuses = log.lines().filter(|line| line.contains("access: <"));
    let statuses: Vec<_> = statuses
        .filter_map(|line| line.split("access: ").nth(1))
        .collect();
    let count = |line| statuses.iter().filter(|it| **it == line).count();
    assert_eq!(count("<GET / 200>"), 2, "{statuses:?}");
    assert_eq!(count("<- - 400>"), 1, "{statuses:?}");
    assert_eq!(count("<- - 431>"), 2, "{statuses:?}");
    assert_eq!(statuses.len(), 5, "{statuses:?}");
}

#[test]
fn a_target_that_the_parser_finds_too_long_is_logged_as_it_was_answered() {
    let keys = ["access_log=<{path} {status}>", "head_max=1MiB", "url_max=0"];
    let (web, address) = web(1, &keys);
    let mut client = Client::connect(&address).unwrap();
    let long = "p".repeat(70_000);
    let _ = client.send(&format!("GET /{long} HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert!(client.rest().unwrap().starts_with("HTTP/1.1 414 "));
    web.wait_for("access: <- 414>");
}

#[test]
fn a_head_that_is_never_finished_is_logged_and_a_connection_without_one_is_not() {
    let (web, address) = web(1, &["access_log=<{path} {status}>", "head_timeout=300ms"]);
    drop(Client::connect(&address).unwrap());
    let mut client = Client::connect(&address).unwrap();
    client.send("GET / HTT").unwrap();
    drop(client);
    web.wait_for("access: <- 499>");
    let mut client = Client::connect(&address).unwrap();
    client.send("GET / HTT").unwrap();
    client.rest().unwrap();
    web.wait_for("access: <- 408>");
    // Nothing was asked for.
    Client::connect(&address).unwrap().rest().unwrap();
    web.signal(Signal::SIGTERM);
    assert_eq!(web.exit_code(), 0);
    web.lines().wait_for_end();
    let log = web.lines().to_string();
    assert_eq!(log.matches("access: <").count(), 2, "{log}");
}
