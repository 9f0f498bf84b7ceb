//! A reload loses no request.

use nix::sys::signal::Signal;

use super::load::{Habit, Load};
use super::web;

const RELOADS: usize = 20;

#[test]
fn no_client_sees_a_reload() {
    let (web, address) = web(2, &[]);
    let kept = Load::begin(&address, 16, Habit::KeepsAlive);
    let fresh = Load::begin(&address, 8, Habit::Reconnects);
    kept.goes_on_for(100);
    for generation in 2..2 + RELOADS {
        web.signal(Signal::SIGHUP);
        web.wait_for(&format!("reloaded generation={generation}"));
        kept.goes_on_for(200);
        fresh.goes_on_for(50);
    }
    let (asked_kept, failures_kept, longest_kept) = kept.end();
    let (asked_fresh, failures_fresh, longest_fresh) = fresh.end();
    println!("{asked_kept} requests by keep-alive clients, the longest took {longest_kept:?}");
    println!(
        "{asked_fresh} requests on connections of their own, the longest took {longest_fresh:?}"
    );
    assert!(
        failures_kept.is_empty(),
        "{} of {asked_kept}: {failures_kept:#?}",
        failures_kept.len()
    );
    assert!(
        failures_fresh.is_empty(),
        "{} of {asked_fresh}: {failures_fresh:#?}",
        failures_fresh.len()
    );
    web.signal(Signal::SIGTERM);
    assert_eq!(web.exit_code(), 0);
    web.everybody_is_gone();
}

#[test]
fn no_client_sees_a_worker_that_is_told_to_stop() {
    let (web, address) = web(2, &[]);
    let kept = Load::begin(&address, 16, Habit::KeepsAlive);
    let fresh = Load::begin(&address, 4, Habit::Reconnects);
    for _ in 0..6 {
        kept.goes_on_for(100);
        let victim = web.children()[0];
        tests::harness::kill(victim, Signal::SIGTERM);
        web.ready_worker();
    }
    kept.goes_on_for(200);
    let (asked, mut failures, _) = kept.end();
    failures.extend(fresh.end().1);
    assert!(
        failures.is_empty(),
        "{} of {asked}: {failures:#?}",
        failures.len()
    );
}
