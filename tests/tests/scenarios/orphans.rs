//! The supervisor is killed: how soon its workers are gone, and what a new instance finds.

use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use tests::fixture;
use tests::harness::{Client, Fixture, Scratch, Worker, is_gone, until};

use super::NOISE;

/// How long a graceful stop may take here.
const GRACEFUL: Duration = Duration::from_secs(2);

#[track_caller]
fn gone_within(workers: &[Worker], limit: Duration, killed: Instant) {
    until("the workers are gone", || {
        workers.iter().all(|worker| is_gone(worker.pid))
    });
    let took = killed.elapsed();
    assert!(took < limit, "gone after {took:?}");
    println!("gone after {took:?}");
}

fn kill_supervisor(program: &Fixture) -> Instant {
    program.signal(Signal::SIGKILL);
    Instant::now()
}

#[test]
fn idle_workers_are_gone_within_a_second_and_a_new_instance_starts_on_their_address() {
    let address = free_address();
    let program = || fixture!("echo").args(["--set", &format!("echo.listen={address}")]);
    let mut echo = program().start();
    for _ in 0..3 {
        let workers = echo.ready(2);
        let killed = kill_supervisor(&echo);
        gone_within(&workers, Duration::from_secs(1) * NOISE, killed);
        // At once, and not after the time that a port waits for stragglers.
        echo = program().start();
    }
    let workers: Vec<Pid> = echo.ready(2).iter().map(|worker| worker.pid).collect();
    let answered = Client::connect(&address).and_then(|mut client| client.ask("hello"));
    assert!(workers.contains(&answered.unwrap()));
}

/// Returns an address that was free a moment ago; the program is to have the same one twice.
fn free_address() -> String {
    let probe = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    probe.local_addr().unwrap().to_string()
}

#[test]
fn busy_workers_finish_what_they_can_within_the_graceful_timeout() {
    let echo = fixture!("echo")
        .args(["--graceful-shutdown-timeout", "20s"])
        .start();
    let workers = echo.ready(2);
    let mut client = Client::of(&echo);
    let by = client.ask("hello").unwrap();
    client.say("sleep 1000").unwrap();
    // The request is taken before the supervisor dies.
    thread::sleep(Duration::from_millis(100));
    let killed = kill_supervisor(&echo);
    assert_eq!(client.answer("sleep 1000").unwrap(), by);
    gone_within(&workers, Duration::from_secs(2) * NOISE, killed);
}

#[test]
fn nobody_is_left_after_the_graceful_timeout_and_a_second_whatever_hangs() {
    let scratch = Scratch::new();
    let path = scratch.path("socket");
    for what in ["sleep 60000", "block", "stall", "deadlock"] {
        let echo = fixture!("echo")
            .args(["--workers", "1", "--graceful-shutdown-timeout", "2s"])
            .args(["--set", "echo.side=true"])
            .args(["--set", &format!("echo.listen=unix:{}", path.display())])
            .start();
        let workers = echo.ready(1);
        let mut client = Client::connect_unix(&path).unwrap();
        client.ask("hello").unwrap();
        client.say(what).unwrap();
        thread::sleep(Duration::from_millis(100));
        let killed = kill_supervisor(&echo);
        gone_within(&workers, (GRACEFUL + Duration::from_secs(1)) * 2, killed);
        assert!(
            killed.elapsed() >= GRACEFUL,
            "{what}: {:?}",
            killed.elapsed()
        );
        echo.everybody_is_gone();
    }
    // The file of the socket was left behind, and is in nobody's way.
    let echo = fixture!("echo")
        .args(["--set", &format!("echo.listen=unix:{}", path.display())])
        .start();
    echo.ready(2);
    Client::connect_unix(&path).unwrap().ask("hello").unwrap();
}
