//! Every limit, and a client that breaks it.

use super::client::{Answer, Client};
use super::web;

/// Sends a text on a connection of its own and returns the answer.
fn ask(address: &str, text: &str) -> Answer {
    let mut client = Client::connect(address).unwrap();
    client.send(text).unwrap();
    client.answer().unwrap()
}

/// Makes a GET with one header of so many bytes.
fn with_header(length: usize) -> String {
    let value = "v".repeat(length);
    format!("GET / HTTP/1.1\r\nHost: x\r\nX-Long: {value}\r\n\r\n")
}

#[test]
fn a_long_url_gets_a_414() {
    let (_web, address) = web(1, &["url_max=100"]);
    let get = |length| format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "p".repeat(length));
    assert_eq!(ask(&address, &get(99)).status, 404);
    let answer = ask(&address, &get(100));
    assert_eq!((answer.status, answer.closes()), (414, true));
}

#[test]
fn a_long_header_many_headers_and_a_large_head_get_a_431() {
    let (_web, address) = web(1, &["header_max=1000", "head_max=8KiB", "headers_max=20"]);
    assert_eq!(ask(&address, &with_header(990)).status, 200);
    assert_eq!(ask(&address, &with_header(1000)).status, 431);
    assert_eq!(ask(&address, &with_header(20_000)).status, 431);
    let many = "X-Short: x\r\n".repeat(30);
    assert_eq!(
        ask(
            &address,
            &format!("GET / HTTP/1.1\r\nHost: x\r\n{many}\r\n")
        )
        .status,
        431
    );
}

#[test]
fn a_large_body_gets_a_413_with_or_without_its_length_told() {
    let (_web, address) = web(1, &["body_max=1000"]);
    let post = |length: usize| {
        let body = "b".repeat(length);
        format!("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{body}")
    };
    assert_eq!(ask(&address, &post(1000)).body.len(), 1000);
    let answer = ask(&address, &post(1001));
    assert_eq!((answer.status, answer.closes()), (413, true));
    // What is sent all the same does not stand in the way of the answer.
    assert_eq!(ask(&address, &post(3_000_000)).status, 413);
    let piece = format!("3e9\r\n{}\r\n", "b".repeat(0x3e9));
    let head = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(
        ask(&address, &format!("{head}{piece}0\r\n\r\n")).status,
        413
    );
}

#[test]
fn a_head_that_does_not_come_ends_the_connection() {
    let (_web, address) = web(1, &["head_timeout=200ms"]);
    let mut silent = Client::connect(&address).unwrap();
    assert_eq!(silent.rest().unwrap(), "");
    let mut half = Client::connect(&address).unwrap();
    half.send("GET / HTTP/1.1\r\nHo").unwrap();
    assert_eq!(half.rest().unwrap(), "");
    let mut second = Client::connect(&address).unwrap();
    second.get("/").unwrap();
    second.send("GET").unwrap();
    assert_eq!(second.rest().unwrap(), "");
}

#[test]
fn an_idle_connection_ends_after_client_socket_timeout() {
    let (_web, address) = web(1, &["client_socket_timeout=200ms"]);
    let mut client = Client::connect(&address).unwrap();
    client.get("/").unwrap();
    client.get("/slow/500").unwrap();
    assert_eq!(client.rest().unwrap(), "");
}

#[test]
fn a_body_that_does_not_come_gets_an_error() {
    let (_web, address) = web(1, &["body_timeout=200ms"]);
    let text = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf";
    let answer = ask(&address, text);
    assert_eq!((answer.status, answer.closes()), (408, true));
}

#[test]
fn an_answer_that_nobody_takes_is_given_up() {
    let (web, address) = web(1, &["send_timeout=200ms", "launch.log_level=debug"]);
    let mut client = Client::connect(&address).unwrap();
    client
        .send("GET /big/50000000 HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    web.wait_for("connection cut");
}

#[test]
fn a_slow_handler_gets_a_503_and_the_connection_lives_on() {
    let (_web, address) = web(1, &["request_timeout=100ms"]);
    let mut client = Client::connect(&address).unwrap();
    let answer = client.get("/slow/30000").unwrap();
    assert_eq!((answer.status, answer.closes()), (503, false));
    assert_eq!(client.get("/").unwrap().body, "hello");
}

#[test]
fn the_last_request_of_a_connection_is_announced() {
    let (_web, address) = web(1, &["connection_requests=3"]);
    let mut client = Client::connect(&address).unwrap();
    let closes = [(); 3].map(|()| client.get("/").unwrap().closes());
    assert_eq!(closes, [false, false, true]);
    assert_eq!(client.rest().unwrap(), "");
}

#[test]
fn a_connection_too_many_waits_and_is_served_later() {
    let (_web, address) = web(1, &["max_connections=1"]);
    let mut first = Client::connect(&address).unwrap();
    first.get("/").unwrap();
    let mut second = Client::connect(&address).unwrap();
    second.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    assert_eq!(first.get("/").unwrap().status, 200);
    drop(first);
    assert_eq!(second.answer().unwrap().status, 200);
}

#[test]
fn http2_answers_no_more_streams_at_a_time_than_it_may() {
    let (_web, address) = web(1, &["http2_streams=3"]);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let streams = runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        let (client, connection) = h2::client::handshake(stream).await.unwrap();
        let mut client = client.ready().await.unwrap();
        let request = http::Request::get(format!("http://{address}/")).body(());
        let (answer, _) = client.send_request(request.unwrap(), true).unwrap();
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            answer = answer => assert_eq!(answer.unwrap().status(), 200),
            _ = connection.as_mut() => panic!("the connection has ended"),
        }
        connection.max_concurrent_send_streams()
    });
    assert_eq!(streams, 3);
}

#[test]
fn a_client_that_takes_back_what_it_asked_is_sent_away() {
    let (web, address) = web(1, &["http2_resets=5"]);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let error = runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
        let mut connection = std::pin::pin!(connection);
        let take_back = async {
            loop {
                client = client.ready().await?;
                for _ in 0..50 {
                    let request = http::Request::get(format!("http://{address}/slow/10000"));
                    let (_, mut sent) = client.send_request(request.body(()).unwrap(), false)?;
                    sent.send_reset(h2::Reason::CANCEL);
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            ended = connection.as_mut() => ended.unwrap_err(),
            ended = take_back => { let ended: Result<(), h2::Error> = ended; ended.unwrap_err() }
        }
    });
    // What the client was still sending may have reset the connection before it read why.
    let calm = error.reason() == Some(h2::Reason::ENHANCE_YOUR_CALM);
    assert!(calm || error.is_io(), "{error}");
    web.wait_for("streams reached limit (5)");
}
