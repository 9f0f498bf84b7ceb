//! What HTTP/2 has that HTTP/1.1 has not: frames without a request, and streams that end alone.

use std::io::{Read, Write};
use std::net::TcpStream;

use http::{Method, Request, StatusCode};
use tests::harness::LIMIT;

use super::http2::{connect, run};
use super::load::Target;
use super::web;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
const ACK: [u8; 9] = [0, 0, 0, 4, 1, 0, 0, 0, 0];
const PING: u8 = 6;
const GOAWAY: u8 = 7;

/// Reads one frame: its kind, its flags and its payload.
pub(super) fn frame(stream: &mut TcpStream) -> std::io::Result<(u8, u8, Vec<u8>)> {
    let mut header = [0; 9];
    stream.read_exact(&mut header)?;
    let length =
        usize::from(header[0]) << 16 | usize::from(header[1]) << 8 | usize::from(header[2]);
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload)?;
    Ok((header[3], header[4], payload))
}

pub(super) fn ping(stream: &mut TcpStream, mark: u8) {
    stream.write_all(&[0, 0, 8, PING, 0, 0, 0, 0, 0]).unwrap();
    stream.write_all(&[mark; 8]).unwrap();
    loop {
        let (kind, flags, payload) = frame(stream).unwrap();
        assert_ne!(kind, GOAWAY, "at ping {mark}");
        if kind == PING && flags == 1 {
            assert_eq!(payload, [mark; 8]);
            return;
        }
    }
}

pub(super) fn greeted(address: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.write_all(&[PREFACE, &SETTINGS].concat()).unwrap();
    stream
}

/// GET / of this address: indexed fields of the static table, and a literal authority.
fn get(stream: &mut TcpStream) {
    let block = [0x82, 0x84, 0x86, 0x41, 1, b'x'];
    let length = u8::try_from(block.len()).unwrap();
    let head = [0, 0, length, 1, 5, 0, 0, 0, 1];
    stream.write_all(&[&head[..], &block].concat()).unwrap();
    while frame(stream).unwrap().0 != 0 {}
}

#[test]
fn frames_without_a_request_keep_a_connection_and_begin_no_head() {
    let (_web, address) = web(1, &["head_timeout=300ms", "client_socket_timeout=60s"]);
    let mut stream = greeted(&address);
    get(&mut stream);
    stream.write_all(&ACK).unwrap();
    ping(&mut stream, 1);
    // As long as three heads may take.
    let mut other = super::client::Client::connect(&address).unwrap();
    assert_eq!(other.get("/slow/900").unwrap().body, "slow");
    ping(&mut stream, 2);
}

#[test]
fn a_head_that_is_not_finished_ends_the_connection() {
    let (_web, address) = web(1, &["head_timeout=300ms", "client_socket_timeout=60s"]);
    let mut stream = greeted(&address);
    get(&mut stream);
    // HEADERS without their end.
    stream
        .write_all(&[0, 0, 1, 1, 1, 0, 0, 0, 3, 0x82])
        .unwrap();
    while frame(&mut stream).is_ok_and(|(kind, ..)| kind != GOAWAY) {}
}

/// Asks on a connection of its own for each, but for one after a refusal; returns status and body.
fn ask(address: &str, request: Request<()>, after: bool) -> (StatusCode, Vec<u8>) {
    let target = Target {
        address: address.to_owned(),
        tls: None,
    };
    run(async {
        let mut client = connect(&target).await.unwrap();
        let (answer, _) = client.send_request(request, true).unwrap();
        let answer = answer.await.unwrap();
        let status = answer.status();
        let mut body = answer.into_body();
        let mut bytes = Vec::new();
        while let Some(piece) = body.data().await {
            bytes.extend_from_slice(&piece.unwrap());
        }
        if after {
            // Only that stream has ended.
            let mut client = client.ready().await.unwrap();
            let next = Request::get(format!("http://{address}/")).body(()).unwrap();
            let (answer, _) = client.send_request(next, true).unwrap();
            assert_eq!(answer.await.unwrap().status(), 200);
        }
        (status, bytes)
    })
}

#[test]
fn a_refusal_ends_its_stream_and_not_the_connection() {
    let (_web, address) = web(1, &["headers_max=20", "url_max=100", "body_max=1000"]);
    let get = |path: &str| Request::get(format!("http://{address}{path}"));
    let mut many = get("/");
    for number in 0..30 {
        many = many.header(format!("x-{number}"), "x");
    }
    assert_eq!(ask(&address, many.body(()).unwrap(), true).0, 431);
    let long = get(&format!("/{}", "p".repeat(200))).body(()).unwrap();
    assert_eq!(ask(&address, long, true).0, 414);
    let other = get("/").header("host", "other").body(()).unwrap();
    assert_eq!(ask(&address, other, true).0, 400);
}

#[test]
fn an_answer_that_may_have_no_body_has_none() {
    let (_web, address) = web(1, &[]);
    for path in ["/status/204", "/status/304", "/status/205"] {
        let request = Request::get(format!("http://{address}{path}"))
            .body(())
            .unwrap();
        let (status, body) = ask(&address, request, true);
        assert_eq!((status.as_str(), body.len()), (&path[8..], 0));
    }
    let head = Request::builder().method(Method::HEAD);
    let head = head.uri(format!("http://{address}/")).body(()).unwrap();
    assert_eq!(ask(&address, head, true), (StatusCode::OK, Vec::new()));
}
