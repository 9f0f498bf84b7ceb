//! How the workers of a program share what comes.

use std::collections::BTreeMap;
use std::time::Duration;

use nix::unistd::Pid;
use tests::fixture;
use tests::harness::{Client, Crowd, Fixture, Target};

const WORKERS: usize = 4;

#[test]
fn the_busiest_worker_serves_at_most_half_more_than_the_idlest() {
    let echo = fixture!("echo")
        .args(["--workers", &WORKERS.to_string()])
        .start();
    echo.ready(WORKERS);
    // Whom the system lets run is its choice while others want the processors too: what is unfair by
    // itself is unfair in every sample.
    let samples: Vec<_> = (0..5).map(|_| sample(&echo)).collect();
    let is_fair = |by: &BTreeMap<Pid, u64>| {
        let (most, least) = (by.values().max(), by.values().min());
        by.len() == WORKERS && 2 * most.unwrap() <= 3 * least.unwrap()
    };
    assert!(samples.iter().any(is_fair), "{samples:?}");
}

/// How many requests each worker serves, of a crowd eight times as large as theirs.
fn sample(echo: &Fixture) -> BTreeMap<Pid, u64> {
    let crowd = Crowd::begin(&Target::of(echo), 8 * WORKERS, Duration::ZERO);
    crowd.goes_on_for(10_000);
    let tally = crowd.end();
    tally.is_whole();
    tally.by
}

#[test]
fn a_busy_worker_gets_no_new_connections_while_others_idle() {
    let echo = fixture!("echo")
        .args(["--workers", &WORKERS.to_string()])
        .start();
    echo.ready(WORKERS);
    let mut client = Client::of(&echo);
    let busy = client.ask("hello").unwrap();
    client.say("stall").unwrap();
    echo.wait_for("stalls");
    let crowd = Crowd::begin(&Target::of(&echo), 4, Duration::from_millis(1));
    crowd.goes_on_for(2000);
    let tally = crowd.end();
    tally.is_whole();
    assert_eq!(tally.by.len(), WORKERS - 1, "{:?}", tally.by);
    assert!(!tally.by.contains_key(&busy));
}
