//! A wall clock that jumps.
//!
//! The machine's own is left alone: a library that is loaded before the C library moves what a program
//! is told of it, in all its processes. What the kernel itself does by the wall clock is not moved; no
//! part of this framework asks it to.

use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use tests::fixture;
use tests::harness::{Fixture, LIMIT, Scratch, stamp};

use super::{since, time_of_day};

/// Adds the seconds that a file holds to the wall clock, and leaves every other clock alone.
const SHIM: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long moved(void) {
    char text[32] = {0};
    FILE *file = fopen(getenv("CLOCK_MOVED_BY"), "r");
    if (!file) return 0;
    long seconds = fgets(text, sizeof text, file) ? atol(text) : 0;
    fclose(file);
    return seconds;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = syscall(SYS_clock_gettime, clock, time);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        time->tv_sec += moved();
    return result;
}

int gettimeofday(struct timeval *time, void *zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *to) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (to) *to = now.tv_sec;
    return now.tv_sec;
}
"#;

/// Builds the library; `None` without a C compiler.
fn shim(scratch: &Scratch) -> Option<PathBuf> {
    let (source, library) = (scratch.write("clock.c", SHIM), scratch.path("clock.so"));
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .arg(source);
    match cc.status() {
        Ok(status) => assert!(status.success(), "the library does not compile"),
        Err(_) => {
            eprintln!("skipped: there is no C compiler");
            return None;
        }
    }
    Some(library)
}

/// Returns how often the program does its periodic task within a second and a half.
fn pace(turns: &Fixture) -> usize {
    let count = || turns.lines().with(" turn own_slot").len();
    let before = count();
    // The pace is what this is about.
    thread::sleep(Duration::from_millis(1500));
    count() - before
}

/// Waits until the clock of the program, as its log tells it, is so many seconds ahead of this process's; lines from
/// before the jump may still be on their way.
fn wait_until_ahead(turns: &Fixture, jump: &str, seconds: u64) {
    let begun = Instant::now();
    loop {
        let ahead = since(time_of_day(), stamp(&turns.wait_for(" turn own_slot")));
        if ahead.as_secs().abs_diff(seconds) <= 2 {
            return;
        }
        assert!(begun.elapsed() < LIMIT, "{jump}: {ahead:?}");
    }
}

#[test]
fn a_wall_clock_that_jumps_an_hour_ends_nobody_misses_nothing_and_repeats_nothing() {
    let scratch = Scratch::new();
    let Some(library) = shim(&scratch) else {
        return;
    };
    let moved = scratch.write("moved", "0");
    let turns = fixture!("turns")
        .args(["--heartbeat-timeout", "3s", "--max-lifetime", "30m"])
        .env("LD_PRELOAD", library)
        .env("CLOCK_MOVED_BY", &moved)
        .start();
    let workers = turns.ready(3);
    let begun = Instant::now();
    let steady = pace(&turns);
    assert!((20..=80).contains(&steady), "{steady}");
    for (jump, seconds) in [("3600", 3600), ("0", 0), ("-3600", 0)] {
        scratch.write("moved", jump);
        wait_until_ahead(&turns, jump, seconds);
        // Neither a run for each one missed, nor a wait until the clock has caught up.
        let now = pace(&turns);
        assert!(
            (20..=80).contains(&now),
            "{jump}: {now} instead of {steady}"
        );
    }
    // Longer than a worker may be silent.
    assert!(begun.elapsed() > Duration::from_secs(6));
    assert_eq!(turns.settles(3), workers);
    let said = ["hangs", "died", "killed", "replaced"].map(|word| turns.lines().with(word).len());
    assert_eq!(said, [0; 4]);
    // A stop keeps its time.
    let told = Instant::now();
    turns.signal(nix::sys::signal::Signal::SIGTERM);
    scratch.write("moved", "3600");
    assert_eq!(turns.exit_code(), 0);
    assert!(told.elapsed() < Duration::from_secs(10));
}
