//! A log that cannot be written: the disk is full, or its reader stands still.

use std::fs::File;
use std::io::{Read, Write, pipe};
use std::time::Duration;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::signal::Signal;
use tests::fixture;
use tests::harness::{Crowd, NotifySocket, Program, Scratch, Target, kill, until};

/// Replaces a worker, reloads, changes the number of workers and stops, under load, and with no line
/// of the log to tell of it.
#[track_caller]
fn goes_on_unheard(echo: Program, workers: usize) {
    let scratch = Scratch::new();
    let (path, manager) = (scratch.path("socket"), NotifySocket::path());
    let echo = echo
        .args(["--set", &format!("echo.listen=unix:{}", path.display())])
        .args(["--workers", &workers.to_string(), "--log-level", "debug"])
        .env("NOTIFY_SOCKET", manager.name())
        .start();
    let all = format!("STATUS={workers} workers, generation 1\n");
    let one_less = format!(
        "STATUS={workers} workers, generation 1, {} ready",
        workers - 1
    );
    manager.messages().wait_for("READY=1");
    let crowd = Crowd::begin(&Target::Unix(path), 4, Duration::from_millis(2));
    crowd.goes_on_for(50);
    let served = crowd.asked();
    kill(echo.children()[0], Signal::SIGKILL);
    for message in [&one_less, &all] {
        manager.messages().wait_for(message);
    }
    crowd.goes_on_for(50);
    let failed = crowd.end().failures.len();
    assert!(
        failed <= 4,
        "{failed} of more than {served} requests failed"
    );

    let crowd = Crowd::begin(
        &Target::Unix(scratch.path("socket")),
        4,
        Duration::from_millis(2),
    );
    for signal in [Signal::SIGUSR1, Signal::SIGHUP] {
        echo.signal(signal);
    }
    manager.messages().wait_for("RELOADING=1");
    manager.messages().wait_for("READY=1");
    echo.signal(Signal::SIGTTIN);
    let more = format!("STATUS={} workers, generation 2", workers + 1);
    manager.messages().wait_for(&more);
    crowd.goes_on_for(50);
    crowd.end().is_whole();
    echo.signal(Signal::SIGTERM);
    assert_eq!(echo.exit_code(), 0);
    until("nobody is left", || echo.processes().is_empty());
}

#[test]
fn a_full_disk_under_the_log_changes_nothing_else() {
    let full = || File::options().write(true).open("/dev/full").unwrap();
    goes_on_unheard(fixture!("echo").stderr(full()).stdout(full()), 2);
}

#[test]
fn a_reader_of_the_log_that_stands_still_changes_nothing_else_and_hears_whole_lines_later() {
    let (mut reader, mut log) = pipe().unwrap();
    // Full from the first line on.
    fcntl(&log, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
    while log.write(b"noise\n").is_ok() {}
    fcntl(&log, FcntlArg::F_SETFL(OFlag::empty())).unwrap();
    goes_on_unheard(fixture!("echo").stderr(log), 2);
    let mut heard = String::new();
    reader.read_to_string(&mut heard).unwrap();
    assert!(
        heard
            .lines()
            .all(|line| line == "noise" || line == "nois" || line == "no"),
        "{heard}"
    );
}

#[test]
fn a_slow_reader_of_the_log_holds_nobody_up() {
    let (mut reader, log) = pipe().unwrap();
    let slow = std::thread::spawn(move || {
        let (mut heard, mut bytes) = (0, [0; 256]);
        // A slow reader is what this is about.
        while let Ok(length @ 1..) = reader.read(&mut bytes) {
            heard += length;
            std::thread::sleep(Duration::from_millis(20));
        }
        heard
    });
    goes_on_unheard(fixture!("echo").stderr(log), 2);
    assert!(slow.join().unwrap() > 0);
}
