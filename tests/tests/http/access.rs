//! The access log: every request once, in the form that was asked for.

use nix::sys::signal::Signal;
use serde_json::Value;
use tests::fixture;

use super::client::Client;
use super::web;

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
