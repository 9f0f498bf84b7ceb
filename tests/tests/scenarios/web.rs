//! The end of a program that serves HTTP, as its clients see it.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tests::fixture;
use tests::harness::{Fixture, Scratch, until};

use super::Over;

#[path = "../http/client.rs"]
#[allow(dead_code, reason = "the tests of HTTP use more of it")]
mod client;

use client::Client;

fn web(keys: &[&str]) -> (Fixture, String) {
    let keys = ["bind=127.0.0.1:0"].iter().chain(keys);
    let web = keys.fold(fixture!("web"), |web, key| {
        web.args(["--set", &format!("web.{key}")])
    });
    let web = web.start();
    web.ready(2);
    let said = web.lines().with("listening on 127.0.0.1:");
    let address = said[0]
        .split("listening on ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next());
    let address = address.unwrap().to_owned();
    (web, address)
}

#[test]
fn sixteen_keep_alive_clients_see_no_failure_at_a_stop_and_every_close_is_announced() {
    let (web, address) = web(&["linger=20s"]);
    let (served, connected) = (AtomicUsize::new(0), Barrier::new(16));
    thread::scope(|scope| {
        let clients: Vec<_> = (0..16)
            .map(|number| {
                let (address, served, connected) = (&address, &served, &connected);
                scope.spawn(move || {
                    let mut client = Client::connect(address).unwrap();
                    connected.wait();
                    loop {
                        let answer = client.get("/pid").unwrap();
                        assert_eq!(answer.status, 200);
                        served.fetch_add(1, Ordering::Relaxed);
                        if answer.closes() {
                            assert_eq!(client.rest().unwrap(), "");
                            return;
                        }
                        thread::sleep(Duration::from_millis(number));
                    }
                })
            })
            .collect();
        until("every client is served", || {
            served.load(Ordering::Relaxed) > 500
        });
        web.signal(Signal::SIGTERM);
        for client in clients {
            client
                .join()
                .expect("no failure on a connection that was used before");
        }
    });
    assert_eq!(web.exit_code(), 0);
}

#[test]
fn a_stop_fails_the_readiness_at_once_and_then_serves_until_it_refuses_with_no_reset_between() {
    let (web, address) = web(&["drain_delay=2s", "linger=50ms"]);
    let mut health = Client::connect(&address).unwrap();
    assert_eq!(health.get("/readyz").unwrap().status, 200);
    let over = AtomicBool::new(false);
    let stopped = thread::scope(|scope| {
        let ends = Over(&over);
        let clients: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| until_refused(&address, &over)))
            .collect();
        web.signal(Signal::SIGTERM);
        let told = Instant::now();
        for _ in 0..2 {
            web.wait_for("no longer ready");
        }
        let unready = health.get("/readyz").unwrap();
        assert_eq!(unready.status, 503, "{unready:?}");
        assert!(
            told.elapsed() < Duration::from_secs(1),
            "{:?}",
            told.elapsed()
        );
        assert_eq!(web.exit_code(), 0);
        drop(ends);
        let served = clients
            .into_iter()
            .map(|client| client.join().expect("no reset"));
        served.collect::<Vec<_>>()
    });
    println!("served until refused: {stopped:?}");
    assert!(stopped.iter().all(|served| *served > 0), "{stopped:?}");
}

#[test]
fn a_client_of_a_unix_socket_that_is_let_in_at_the_end_is_served() {
    let scratch = Scratch::new();
    for round in 0..8 {
        let path = scratch.path(format!("{round}.sock"));
        let bind = format!("web.bind=unix:{}", path.display());
        let web = fixture!("web").args(["--set", &bind, "--set", "web.linger=50ms"]);
        let web = web.start();
        web.ready(2);
        let served = AtomicUsize::new(0);
        thread::scope(|scope| {
            let clients: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| until_gone(&path, &served)))
                .collect();
            until("every client is served", || {
                served.load(Ordering::Relaxed) > 50
            });
            web.signal(Signal::SIGTERM);
            for client in clients {
                client.join().expect("no reset");
            }
        });
        assert_eq!(web.exit_code(), 0);
    }
}

/// Asks on fresh connections of a unix socket, of which each that is let in is answered, until one is not.
fn until_gone(path: &Path, served: &AtomicUsize) {
    loop {
        let mut stream = match UnixStream::connect(path) {
            Ok(stream) => stream,
            Err(error) => {
                let refused = [ErrorKind::ConnectionRefused, ErrorKind::NotFound];
                assert!(refused.contains(&error.kind()), "{error:?}");
                return;
            }
        };
        let request = "GET /pid HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).expect("no reset");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("no reset");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer:?}");
        served.fetch_add(1, Ordering::Relaxed);
    }
}

/// Asks on fresh connections until one is refused, and checks that all others are refused too.
fn until_refused(address: &str, over: &AtomicBool) -> usize {
    let (mut served, mut refused) = (0, false);
    while !over.load(Ordering::Relaxed) {
        match Client::connect(address) {
            Ok(mut client) => {
                assert!(!refused, "taken after others were refused");
                assert_eq!(client.get("/pid").expect("no reset").status, 200);
                served += 1;
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
                refused = true;
                thread::sleep(Duration::from_millis(1));
            }
        }
    }
    served
}
