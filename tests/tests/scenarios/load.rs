//! Reloads under load: fresh connections, and answers that have begun.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use nix::sys::signal::Signal;
use tests::fixture;
use tests::harness::{Crowd, LIMIT, Scratch, Target};

const RELOADS: u64 = 20;
const REQUESTS: u64 = 50_000;

#[test]
fn twenty_reloads_fail_none_of_fifty_thousand_requests_over_tcp_and_unix_sockets() {
    let scratch = Scratch::new();
    let path = scratch.path("socket");
    let tcp = fixture!("echo").start();
    let unix = fixture!("echo")
        .args(["--set", &format!("echo.listen=unix:{}", path.display())])
        .start();
    let mut crowds = Vec::new();
    for (echo, target) in [(&tcp, None), (&unix, Some(Target::Unix(path)))] {
        echo.ready(2);
        let target = target.unwrap_or_else(|| Target::of(echo));
        crowds.push(Crowd::begin(&target, 4, Duration::ZERO));
    }
    for reload in 0..RELOADS {
        for echo in [&tcp, &unix] {
            echo.signal(Signal::SIGHUP);
            echo.wait_for(&format!("reloaded generation={}", reload + 2));
        }
        for crowd in &crowds {
            // One after the other, so that each reload has its share.
            let goal = REQUESTS / 2 * (reload + 1) / RELOADS;
            crowd.goes_on_for(goal.saturating_sub(crowd.asked()));
        }
    }
    let mut asked = 0;
    for crowd in crowds {
        let tally = crowd.end();
        tally.is_whole();
        println!(
            "{} requests, the longest took {:?}",
            tally.asked, tally.longest
        );
        asked += tally.asked;
    }
    assert!(asked >= REQUESTS, "{asked}");
    for echo in [&tcp, &unix] {
        echo.settles(2);
        assert!(echo.lines().with("worker died").is_empty());
    }
}

#[test]
fn an_answer_that_was_begun_before_a_reload_is_complete_to_the_byte() {
    let web = fixture!("web")
        .args(["--set", "web.bind=127.0.0.1:0"])
        .start();
    web.ready(2);
    let said = web.lines().with("listening on 127.0.0.1:");
    let address = said[0]
        .split("listening on ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next());
    let mut clients: Vec<TcpStream> = (0..4)
        .map(|_| {
            let mut client = TcpStream::connect(address.unwrap()).unwrap();
            client.set_read_timeout(Some(LIMIT)).unwrap();
            client
                .write_all(b"GET /pieces/20/50 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                .unwrap();
            // The first byte has come: the answer has begun.
            client.peek(&mut [0]).unwrap();
            client
        })
        .collect();
    web.signal(Signal::SIGHUP);
    web.wait_for("reloaded generation=2");
    let body: String = (0..20)
        .rev()
        .map(|number| {
            let piece = format!("piece {number}\n");
            format!("{:X}\r\n{piece}\r\n", piece.len())
        })
        .collect();
    for client in &mut clients {
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        let (_, got) = answer.split_once("\r\n\r\n").unwrap();
        assert_eq!(got, format!("{body}0\r\n\r\n"));
    }
}
