//! The watchdog of a service manager.

use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tests::fixture;
use tests::harness::{Client, Fixture, NotifySocket, kill, until};

use super::NOISE;

/// What the manager asks for.
const INTERVAL: Duration = Duration::from_secs(1);

fn start(manager: &NotifySocket) -> Fixture {
    fixture!("echo")
        .args(["--heartbeat-timeout", "0s"])
        .env("NOTIFY_SOCKET", manager.name())
        .env("WATCHDOG_USEC", INTERVAL.as_micros().to_string())
        .start()
}

fn fed(manager: &NotifySocket) -> usize {
    manager.messages().with("WATCHDOG=1").len()
}

#[test]
fn the_watchdog_is_fed_at_half_its_interval_until_the_supervisor_hangs() {
    let manager = NotifySocket::path();
    let echo = start(&manager);
    echo.ready(2);
    manager.messages().wait_for("WATCHDOG=1");
    let begun = Instant::now();
    for _ in 0..6 {
        manager.messages().wait_for("WATCHDOG=1");
    }
    let took = begun.elapsed();
    assert!(took < INTERVAL * 6 / 2 * NOISE, "{took:?}");
    echo.signal(Signal::SIGSTOP);
    ends(&manager);
    echo.signal(Signal::SIGCONT);
    manager.messages().wait_for("WATCHDOG=1");
}

#[test]
fn the_watchdog_is_fed_until_every_worker_hangs_and_again_when_one_is_replaced() {
    let manager = NotifySocket::path();
    let echo = start(&manager);
    let workers = echo.ready(2);
    manager.messages().wait_for("WATCHDOG=1");
    Client::of(&echo).say("block").unwrap();
    echo.wait_for("blocks");
    // One of two is enough.
    for _ in 0..12 {
        manager.messages().wait_for("WATCHDOG=1");
    }
    Client::of(&echo).say("block").unwrap();
    echo.wait_for("blocks");
    ends(&manager);
    kill(workers[0].pid, Signal::SIGKILL);
    manager.messages().wait_for("WATCHDOG=1");
}

/// Waits until no more food comes for three times the interval.
#[track_caller]
fn ends(manager: &NotifySocket) {
    let mut last = (fed(manager), Instant::now());
    until("nothing is fed any more", || {
        let now = fed(manager);
        if now != last.0 {
            last = (now, Instant::now());
        }
        thread::sleep(Duration::from_millis(50));
        last.1.elapsed() > INTERVAL * 3
    });
    // What came before was not waited for.
    for _ in 0..manager.messages().untaken("WATCHDOG=1") {
        manager.messages().wait_for("WATCHDOG=1");
    }
}
