//! Whom a request is for, in which form it says so, and how its body is coded.

use super::client::{Answer, Client};
use super::web;

fn ask(address: &str, text: &str) -> Answer {
    let mut client = Client::connect(address).unwrap();
    client.send(text).unwrap();
    client.answer().unwrap()
}

#[test]
fn a_request_names_one_host_that_is_one() {
    let (_web, address) = web(1, &[]);
    let get = |hosts: &str| ask(&address, &format!("GET / HTTP/1.1\r\n{hosts}\r\n")).status;
    for hosts in [
        "",
        "Host: a\r\nHost: a\r\n",
        "Host: a\r\nHost: b\r\n",
        "Host: a b\r\n",
        "Host: a/b\r\n",
        "Host: u@x\r\n",
        "Host: [::1\r\n",
        "Host: <script>\r\n",
        "Host: x:99999\r\n",
    ] {
        assert_eq!(get(hosts), 400, "{hosts:?}");
    }
    for hosts in [
        "Host: x\r\n",
        "Host: [::1]:80\r\n",
        "Host:\r\n",
        "host: A-b.c:8080\r\n",
    ] {
        assert_eq!(get(hosts), 200, "{hosts:?}");
    }
    assert_eq!(ask(&address, "GET / HTTP/1.0\r\n\r\n").status, 200);
}

#[test]
fn the_host_of_an_absolute_target_is_the_one_that_a_handler_sees() {
    let (_web, address) = web(1, &[]);
    let get = "GET http://right:80/host HTTP/1.1\r\nHost: wrong\r\n\r\n";
    assert_eq!(ask(&address, get).body, "right:80");
}

#[test]
fn a_target_whose_form_its_method_does_not_allow_gets_a_400() {
    let (_web, address) = web(1, &[]);
    for line in [
        "GET *",
        "CONNECT /",
        "CONNECT x",
        "GET x:80",
        "GET http://u@x/",
    ] {
        let answer = ask(&address, &format!("{line} HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert_eq!((answer.status, answer.closes()), (400, true), "{line}");
    }
    // There is no handler for it.
    let connect = ask(&address, "CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n");
    assert_eq!(
        (connect.status, connect.closes()),
        (400, true),
        "{connect:?}"
    );
}

#[test]
fn a_coding_that_is_not_understood_is_not_taken_for_one_that_is() {
    let (_web, address) = web(1, &[]);
    for (codings, status) in [
        ("chunked, chunked", 400),
        ("gzip, chunked", 501),
        ("chunked", 200),
    ] {
        let head = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding";
        let answer = ask(
            &address,
            &format!("{head}: {codings}\r\n\r\n1\r\na\r\n0\r\n\r\n"),
        );
        assert_eq!(answer.status, status, "{codings}");
    }
}

#[test]
fn body_max_alone_limits_what_extractors_take() {
    let length = 3_000_000;
    let body = "b".repeat(length);
    let post = format!("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{body}");
    for max in ["4MiB", "0"] {
        let (_web, address) = web(1, &[&format!("body_max={max}")]);
        let answer = ask(&address, &post);
        assert_eq!((answer.status, answer.body.len()), (200, length), "{max}");
    }
}

#[test]
fn a_status_without_a_body_has_neither_body_nor_length() {
    let (_web, address) = web(1, &[]);
    let mut client = Client::connect(&address).unwrap();
    for status in [204, 304] {
        client
            .send(&format!("GET /status/{status} HTTP/1.1\r\nHost: x\r\n\r\n"))
            .unwrap();
        let head = client.head().unwrap();
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
        let length = head.to_ascii_lowercase().contains("content-length");
        assert!(!(length && status == 204), "{head}");
        // Nothing of a body stands in the way of the next answer.
        assert_eq!(client.get("/").unwrap().body, "hello");
    }
}

#[test]
fn a_client_of_ipv4_has_its_own_address_on_a_socket_of_ipv6() {
    let keys = [
        "access_log={client} {path}",
        "bind=[\"127.0.0.1:0\", \"*:0\"]",
    ];
    let (web, _) = web(1, &keys);
    let line = web.wait_for("listening on [::]:");
    let port = line.split("listening on [::]:").nth(1).unwrap();
    let port: String = port.chars().take_while(char::is_ascii_digit).collect();
    let mut client = Client::connect(&format!("127.0.0.1:{port}")).unwrap();
    assert_eq!(client.get("/pid").unwrap().status, 200);
    web.wait_for("access: 127.0.0.1 /pid");
}
