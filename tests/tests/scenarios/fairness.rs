//! How the workers of a program share what comes.

use std::time::Duration;

use tests::fixture;
use tests::harness::{Client, Crowd, Target};

const WORKERS: usize = 4;

#[test]
fn the_busiest_worker_serves_at_most_half_more_than_the_idlest() {
    let echo = fixture!("echo")
        .args(["--workers", &WORKERS.to_string()])
        .start();
    echo.ready(WORKERS);
    let crowd = Crowd::begin(&Target::of(&echo), 8 * WORKERS, Duration::ZERO);
    crowd.goes_on_for(20_000);
    let tally = crowd.end();
    tally.is_whole();
    println!("{:?}", tally.by);
    assert_eq!(tally.by.len(), WORKERS, "{:?}", tally.by);
    let (most, least) = (tally.by.values().max(), tally.by.values().min());
    let (most, least) = (*most.unwrap(), *least.unwrap());
    assert!(2 * most <= 3 * least, "{:?}", tally.by);
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
