//! Many deaths and many reloads: nothing adds up.

use std::fs;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use tests::fixture;
use tests::harness::{Fixture, Worker, descriptors, kill, memory, until, zombies};

const KILLS: usize = 1000;
const RELOADS: usize = 50;

/// How much the memory of a supervisor may move without having grown: pages of the C library's heap.
const MOVES: u64 = 256 * 1024;

/// What may not grow in a supervisor, once it has reaped everybody.
fn held(program: &Fixture) -> (usize, u64) {
    until("two descriptors a worker, and nobody to be reaped", || {
        let workers =
            |fd: PathBuf| fs::read_link(fd).is_ok_and(|to| to == Path::new("anon_inode:[pidfd]"));
        let open = fs::read_dir(format!("/proc/{}/fd", program.pid())).expect("it lives");
        let pidfds = open.flatten().filter(|fd| workers(fd.path())).count();
        pidfds == program.children().len() && zombies(program.pid()).is_empty()
    });
    (descriptors(program.pid()), memory(program.pid()))
}

#[test]
fn a_thousand_kills_leave_memory_and_descriptors_of_the_supervisor_as_they_were() {
    let preloaded = fixture!("preloaded")
        .args(["--workers", "4", "--healthy-after", "0s"])
        .start();
    let mut workers = preloaded.ready(4);
    let mut before = held(&preloaded);
    for round in 0..KILLS / 4 {
        for worker in &workers {
            kill(worker.pid, Signal::SIGKILL);
        }
        workers = workers.iter().map(|_| preloaded.ready_worker()).collect();
        if round == 25 {
            // What the first of them allocate is kept for the others.
            preloaded.settles(4);
            before = held(&preloaded);
        }
    }
    preloaded.settles(4);
    let mut after = held(&preloaded);
    until("there are as many descriptors as before", || {
        after = held(&preloaded);
        after.0 == before.0
    });
    println!("descriptors and memory: {before:?}, later {after:?}");
    assert!(after.1 <= before.1 + MOVES, "{before:?} {after:?}");
    // Each of them has read what was loaded once.
    let read = preloaded.lines().with("sum=500000500000");
    assert_eq!(read.len(), KILLS + 4);
    let died = preloaded.lines().with("worker died");
    assert_eq!(died.len(), KILLS);
    assert!(died.iter().all(|line| line.contains("next=\"at once\"")));
}

#[test]
fn fifty_reloads_leave_memory_and_descriptors_of_the_supervisor_as_they_were() {
    let echo = fixture!("echo").config("[echo]\n").start();
    echo.ready(2);
    let mut before = held(&echo);
    for reload in 0..RELOADS {
        echo.signal(Signal::SIGHUP);
        echo.wait_for(&format!("reloaded generation={}", reload + 2));
        if reload == 5 {
            echo.settles(2);
            before = held(&echo);
        }
    }
    let workers: Vec<Worker> = echo.settles(2);
    let mut after = held(&echo);
    until("there are as many descriptors as before", || {
        after = held(&echo);
        after.0 == before.0
    });
    println!("descriptors and memory: {before:?}, later {after:?}");
    assert!(after.1 <= before.1 + MOVES, "{before:?} {after:?}");
    assert!(
        workers
            .iter()
            .all(|worker| worker.generation == RELOADS as u64 + 1)
    );
    until("nobody else is left", || echo.processes().len() == 3);
}
