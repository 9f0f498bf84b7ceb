//! What has to be true when the signals are over.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use tests::harness::{
    Failure, Fixture, Tally, Worker, children, field, is_gone, memory, open_files, until, writer,
    zombies,
};

use crate::hand::Hand;

/// How much the memory of a supervisor may move without having grown: pages of the C library's heap.
const MOVES: u64 = 512 * 1024;

/// What a supervisor holds.
#[derive(Debug)]
pub(crate) struct Held {
    supervisor: Pid,
    /// Descriptors, without the two that it has for each worker.
    descriptors: usize,
    /// What all of them are.
    open: Vec<String>,
    memory: u64,
}

impl Held {
    pub(crate) fn by(hand: &mut Hand<'_>) -> Self {
        let supervisor = hand.supervisor();
        let open = open_files(supervisor);
        Self {
            supervisor,
            descriptors: open.len().saturating_sub(2 * children(supervisor).len()),
            open,
            memory: memory(supervisor),
        }
    }

    /// What it holds when two looks in a row find the same: what it opens for a moment is none of that.
    pub(crate) fn settled(hand: &mut Hand<'_>) -> Self {
        let mut held = Self::by(hand);
        until("the supervisor holds the same for two looks", || {
            let last = std::mem::replace(&mut held, Self::by(hand));
            last.open == held.open && last.supervisor == held.supervisor
        });
        held
    }
}

/// Waits until the program has the right workers and no others, and returns them.
pub(crate) fn calm(hand: &mut Hand<'_>) -> Vec<Pid> {
    let lines = hand.echo.lines().clone();
    let mut found = Vec::new();
    hand.until(
        "the workers are those that there have to be",
        |supervisor, children| {
            let own: Vec<String> = {
                let mut lines = lines.with(" supervisor pid=");
                lines.retain(|line| writer(line) == supervisor);
                lines
            };
            let last = |texts: &[&str]| {
                own.iter()
                    .rfind(|line| texts.iter().any(|text| line.contains(text)))
            };
            let wanted: Option<usize> =
                last(&["number of workers changed"]).map(|line| field(line, "workers"));
            let generation = last(&["reloaded generation=", "reload undone generation="]);
            let generation: u64 = generation.map_or(1, |line| field(line, "generation"));
            let begun = last(&[
                "reload begins",
                "reloaded generation=",
                "reload undone generation=",
            ]);
            let reloading = begun.is_some_and(|line| line.contains("begins"));
            let ready: BTreeMap<Pid, Worker> = own
                .iter()
                .filter(|line| line.contains("worker ready "))
                .map(|line| Worker::of(line))
                .map(|worker| (worker.pid, worker))
                .collect();
            let slots: BTreeSet<usize> = children
                .iter()
                .filter_map(|pid| ready.get(pid))
                .filter(|worker| worker.generation == generation)
                .map(|worker| worker.slot)
                .collect();
            found = children.to_vec();
            let right = wanted.is_none_or(|wanted| wanted == children.len());
            !reloading && right && !children.is_empty() && slots.len() == children.len()
        },
    );
    let supervisor = hand.supervisor();
    until("nobody waits to be reaped", || {
        zombies(supervisor).is_empty()
    });
    until("nobody else is left", || {
        hand.echo.processes().len() == found.len() + 1
    });
    println!(
        "{} workers, all of the newest generation, nobody else",
        found.len()
    );
    found
}

/// Checks that the supervisor holds what it held, if it is still the same one.
pub(crate) fn nothing_grew(hand: &mut Hand<'_>, before: Held) {
    println!("before: {before:#?}");
    let mut open = Vec::new();
    // One that has just ended is no child any more, and has its descriptors until it is reaped.
    until("the supervisor holds no more than before", || {
        let after = Held::by(hand);
        // Those of the last look are what a failure is about.
        if after.open != open {
            println!("after: {after:#?}");
            open.clone_from(&after.open);
        }
        let grown = after.memory > before.memory + MOVES;
        after.descriptors == before.descriptors && !(grown && after.supervisor == before.supervisor)
    });
}

/// Checks that every request failed for a reason: its worker was killed.
pub(crate) fn only_killed_workers_failed(echo: &Fixture, hand: &Hand<'_>, tally: &Tally) {
    let mut killed: BTreeSet<Pid> = hand.killed.iter().map(|(pid, _)| *pid).collect();
    // By the supervisor, because it hung or did not drain.
    for line in echo.lines().with("how=") {
        let clean = line.contains("how=exit code 0");
        if !clean && (line.contains("worker died") || line.contains("worker stopped")) {
            killed.insert(Worker::of(&line).pid);
        }
    }
    let unexplained: Vec<&Failure> = tally
        .failures
        .iter()
        .filter(|failure| match failure.by {
            Some(by) => !killed.contains(&by),
            // Taken by a worker that had no time to say who it is: one that was killed meanwhile.
            None => !hand.killed.iter().any(|(_, at)| {
                let end = failure.at + failure.took + Duration::from_millis(50);
                *at + Duration::from_secs(1) >= failure.at && *at <= end
            }),
        })
        .collect();
    println!(
        "{} requests, {} failed in {} killed workers, the longest took {:?}",
        tally.asked,
        tally.failures.len(),
        killed.len(),
        tally.longest
    );
    assert!(unexplained.is_empty(), "{unexplained:#?}");
}

/// Kills the supervisor, and checks that nobody outlives it.
pub(crate) fn ends(mut hand: Hand<'_>, workers: &[Pid]) {
    let supervisor = hand.supervisor();
    signal::kill(supervisor, Signal::SIGKILL).expect("it lives");
    until("the workers are gone", || {
        workers.iter().all(|worker| is_gone(*worker))
    });
    hand.echo.everybody_is_gone();
}
