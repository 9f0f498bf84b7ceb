//! The operating system of a world: processes that are forked, told to stop and killed, and what is noted
//! of them for the invariants.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::time::Duration;

use super::super::*;
use super::invariants;

/// A worker as the world sees it.
#[derive(Debug, Default)]
pub(super) struct Process {
    pub(super) slot: usize,
    pub(super) generation: u64,
    pub(super) ready: bool,
    pub(super) ready_at: Option<Time>,
    pub(super) asked: bool,
    pub(super) killed: bool,
    /// Its runtime stands still.
    pub(super) hung: bool,
}

/// The operating system of a world: it carries out what the machine decides.
pub(super) struct FakeSystem {
    pub(super) now: Time,
    pub(super) live: BTreeMap<WorkerId, Process>,
    /// Every worker that was ever forked, with its generation.
    pub(super) seen: BTreeMap<WorkerId, u64>,
    /// How many forks into a slot were refused at one moment, and at which.
    pub(super) refused: BTreeMap<usize, (u32, Time)>,
    /// The generations whose reload failed.
    pub(super) bad: BTreeSet<u64>,
    pub(super) loading: bool,
    pub(super) upgrading: bool,
    pub(super) mutating: BTreeSet<WorkerId>,
    pub(super) stopping: bool,
    pub(super) exited: Option<LaunchOutcome>,
    pub(super) last_kept: u64,
    /// Whether anything may still go wrong.
    pub(super) hostile: bool,
    /// Whether forks are refused for now.
    pub(super) refusing: bool,
    /// When a suspension of everybody began and ended.
    pub(super) woken: Option<(Time, Time)>,
    /// When reloads were asked for while one was under way, and since.
    pub(super) reload_burst: Vec<Time>,
    /// The orders that have not been answered.
    pub(super) orders: BTreeSet<OrderId>,
}

impl Process {
    pub(super) fn leaving(&self) -> bool {
        self.asked || self.killed
    }
}

impl System for FakeSystem {
    type Exit = ();

    fn now(&self) -> Time {
        self.now
    }

    fn heartbeats(&self, _now: Time) -> Vec<(WorkerId, Time)> {
        let running = self.live.iter().filter(|(_, process)| !process.hung);
        running
            .map(|(worker, _)| (*worker, self.last_heartbeat()))
            .collect()
    }

    fn carry_out(
        &mut self,
        machine: &Machine,
        action: Action,
        queue: &mut EventQueue,
    ) -> ControlFlow<()> {
        invariants::allows(self, machine, &action);
        match action {
            Action::Fork {
                worker,
                slot: WorkerSlot { index: slot, .. },
                generation,
            } => {
                self.seen.insert(worker, generation);
                if self.hostile && self.refusing {
                    let (count, at) = self.refused.entry(slot).or_default();
                    *count = if *at == self.now { *count + 1 } else { 1 };
                    *at = self.now;
                    queue.push(Event::ForkRefused(worker));
                    return ControlFlow::Continue(());
                }
                let process = Process {
                    slot,
                    generation,
                    ..Process::default()
                };
                self.live.insert(worker, process);
                queue.push(Event::Forked(worker));
            }
            Action::Stop(worker, _) | Action::Abort(worker) => {
                self.live.entry(worker).and_modify(|it| it.asked = true);
            }
            Action::Kill(worker) => {
                self.live.entry(worker).and_modify(|it| it.killed = true);
            }
            Action::Load(_) => {
                self.loading = true;
                self.reload_burst.clear();
            }
            Action::CancelLoad => self.loading = false,
            Action::Mutate(workers) => self.mutating = workers.into_iter().collect(),
            Action::Keep(generation) => self.last_kept = generation,
            Action::Log(LogEvent::ReloadRefused(Cause::Worker(worker))) => {
                self.bad.insert(self.seen[&worker]);
            }
            Action::Announce(Announcement::Stopping) | Action::HandOver { .. } => {
                self.stopping = true;
            }
            Action::Exit(outcome) => {
                self.exited = Some(outcome);
                return ControlFlow::Break(());
            }
            Action::Answer(order, _) => {
                self.orders.remove(&order);
            }
            Action::Upgrade => self.upgrading = true,
            Action::CancelUpgrade => self.upgrading = false,
            Action::Announce(_) | Action::Lead(..) | Action::Log(_) => {}
        }
        ControlFlow::Continue(())
    }

    fn event_handled(&mut self, machine: &Machine) {
        invariants::holds(self, machine);
    }
}

impl FakeSystem {
    /// Makes one in which nothing has happened yet, and everything may go wrong.
    pub(super) fn new() -> Self {
        Self {
            now: Duration::ZERO,
            live: BTreeMap::new(),
            seen: BTreeMap::new(),
            refused: BTreeMap::new(),
            bad: BTreeSet::new(),
            loading: false,
            upgrading: false,
            mutating: BTreeSet::new(),
            stopping: false,
            exited: None,
            last_kept: 1,
            hostile: true,
            refusing: false,
            woken: None,
            reload_burst: Vec::new(),
            orders: BTreeSet::new(),
        }
    }

    /// Returns when the workers that do not hang were last seen to run: those of a program that has just
    /// come back from a suspension need a moment.
    fn last_heartbeat(&self) -> Time {
        match self.woken {
            Some((since, until)) if self.now < until + Duration::from_secs(1) => since,
            _ => self.now,
        }
    }
}
