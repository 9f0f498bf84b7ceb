//! How a stop ends what is there: idle and busy connections, of both protocols, and upgraded ones.

use nix::sys::signal::Signal;

use super::client::Client;
use super::web;

#[test]
fn an_idle_connection_gets_one_more_answer_which_says_that_it_is_the_last() {
    let (web, address) = web(1, &["linger=20s"]);
    let mut client = Client::connect(&address).unwrap();
    assert!(!client.get("/").unwrap().closes());
    web.signal(Signal::SIGTERM);
    web.wait_for("draining");
    let answer = client.get("/").unwrap();
    assert_eq!(answer.status, 200);
    assert!(answer.closes(), "{answer:?}");
    assert_eq!(client.rest().unwrap(), "");
    // The stop has ended with the last connection, long before the linger has.
    assert_eq!(web.exit_code(), 0);
}

#[test]
fn an_idle_connection_is_closed_when_it_has_lingered() {
    let (web, address) = web(1, &["linger=100ms"]);
    let mut used = Client::connect(&address).unwrap();
    used.get("/").unwrap();
    let mut fresh = Client::connect(&address).unwrap();
    let mut other = Client::connect(&address).unwrap();
    other.get("/").unwrap();
    web.signal(Signal::SIGTERM);
    for client in [&mut used, &mut fresh, &mut other] {
        assert_eq!(client.rest().unwrap(), "");
    }
    assert_eq!(web.exit_code(), 0);
}

#[test]
fn what_is_in_flight_runs_to_its_end() {
    let (web, address) = web(1, &["linger=50ms"]);
    let mut slow = Client::connect(&address).unwrap();
    slow.send("GET /slow/500 HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    let mut pieces = Client::connect(&address).unwrap();
    pieces
        .send("GET /pieces/5/100 HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    web.wait_for("slow request begins");
    web.signal(Signal::SIGTERM);
    let answer = slow.answer().unwrap();
    assert_eq!(answer.body, "slow");
    assert!(answer.closes(), "{answer:?}");
    let answer = pieces.answer().unwrap();
    assert_eq!(answer.body.lines().count(), 5);
    assert_eq!(web.exit_code(), 0);
}

#[test]
fn what_outlives_the_graceful_timeout_is_cut_and_named() {
    let keys = ["linger=50ms", "launch.graceful_shutdown_timeout=1s"];
    let (web, address) = web(1, &keys);
    let mut slow = Client::connect(&address).unwrap();
    slow.send("GET /slow/30000 HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    web.wait_for("slow request begins");
    web.signal(Signal::SIGTERM);
    let line = web.wait_for("the time for the stop has passed");
    assert!(
        line.contains("1 requests on 1 connections are cut: GET /slow/30000 for "),
        "{line}"
    );
    assert_eq!(slow.rest().unwrap(), "");
    web.wait_for("how=exit code 1");
    web.exit_status();
}

#[test]
fn what_outlives_the_drain_of_one_worker_is_named_too() {
    let (web, address) = web(1, &["linger=50ms", "launch.drain_timeout=1s"]);
    let mut slow = Client::connect(&address).unwrap();
    slow.send("GET /slow/30000 HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    web.wait_for("slow request begins");
    web.signal(Signal::SIGHUP);
    let line = web.wait_for("the time for the stop has passed");
    assert!(
        line.contains("1 requests on 1 connections are cut: GET /slow/30000 for "),
        "{line}"
    );
    assert_eq!(slow.rest().unwrap(), "");
    web.wait_for("worker stopped");
    web.signal(Signal::SIGTERM);
    web.exit_status();
}

#[test]
fn a_drain_delay_does_not_outlast_the_graceful_timeout() {
    let keys = ["drain_delay=10m", "launch.graceful_shutdown_timeout=1s"];
    let (web, _) = web(1, &keys);
    web.signal(Signal::SIGTERM);
    web.wait_for("no longer ready, accepting ends in 10m");
    assert_eq!(web.exit_code(), 0);
}

#[test]
fn accepting_goes_on_for_the_drain_delay() {
    let (web, address) = web(1, &["drain_delay=1s", "linger=50ms"]);
    web.signal(Signal::SIGTERM);
    web.wait_for("no longer ready");
    let mut client = Client::connect(&address).unwrap();
    assert_eq!(client.get("/").unwrap().status, 200);
    assert_eq!(web.exit_code(), 0);
}

#[test]
fn an_upgraded_connection_hears_of_the_stop() {
    let (web, address) = web(1, &["linger=50ms"]);
    let mut client = Client::connect(&address).unwrap();
    client
        .send("GET /upgrade HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: word\r\n\r\n")
        .unwrap();
    let answer = client.answer().unwrap();
    assert_eq!(answer.status, 101);
    web.signal(Signal::SIGTERM);
    assert_eq!(client.rest().unwrap(), "bye");
    assert_eq!(web.exit_code(), 0);
}

#[test]
fn http2_says_goaway_and_finishes_what_it_has_begun() {
    let (web, address) = web(1, &["linger=50ms"]);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        let (client, connection) = h2::client::handshake(stream).await.unwrap();
        let mut client = client.ready().await.unwrap();
        let request = http::Request::get(format!("http://{address}/slow/500")).body(());
        let (answer, _) = client.send_request(request.unwrap(), true).unwrap();
        let work = async {
            let answer = answer.await.unwrap();
            assert_eq!(answer.status(), 200);
            let mut body = answer.into_body();
            let piece = body.data().await.unwrap().unwrap();
            assert_eq!(&piece[..], b"slow");
            // The client is told before the connection goes.
            let error = client.ready().await.err();
            assert!(error.is_none_or(|error| error.is_go_away()));
        };
        let stop = async {
            web.wait_for("slow request begins");
            web.signal(Signal::SIGTERM);
        };
        let (ended, ()) = tokio::join!(connection, async {
            // The request is on its way before this thread waits for the log.
            tokio::task::yield_now().await;
            tokio::join!(work, async {
                tokio::task::yield_now().await;
                stop.await
            });
        });
        assert!(ended.is_ok(), "{ended:?}");
    });
    assert_eq!(web.exit_code(), 0);
}
