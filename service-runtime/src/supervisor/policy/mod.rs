//! The supervisor's decisions, as a pure state machine: events in, actions out.
//!
//! No system call, no clock and no log line is made here. [`Decisions`] queues what happened, gives it to
//! the [`Machine`] event by event, and has a [`System`] carry out what comes of it, in order. That makes every decision testable by
//! simulation: see `simulation`.
//!
//! What must stay true, whatever comes in, stands in `simulation/invariants.rs`.

mod decisions;
mod event;
mod heartbeat;
mod mutation;
mod operations;
#[cfg_attr(
    not(feature = "control"),
    allow(dead_code, reason = "without a control socket nobody gives orders")
)]
mod orders;
mod parameters;
mod recycle;
mod respawn;
mod rollout;
mod scale;
#[cfg(test)]
mod simulation;
mod slot;
mod slots;
mod snapshot;
mod stop;
mod upgrade;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub(crate) use decisions::{Decisions, EventQueue, System};
pub(crate) use event::{
    Action, Announcement, Busy, Cause, Event, LaunchOutcome, LogEvent, Order, OrderId,
    OrderOutcome, Request, Time, WorkerId,
};
#[cfg_attr(
    not(feature = "control"),
    allow(
        unused_imports,
        reason = "without a control socket nobody gives orders"
    )
)]
pub(crate) use event::{OrderFailure, Refusal};
use operations::{Mutation, PendingOrder, Rollout};
pub(crate) use parameters::{Policy, Pool, RestartMethod};
use slot::Slot;
pub(crate) use slot::{State, Worker};

pub(crate) use crate::ipc::{PoolId, RecycleLimit, WorkerSlot};
use crate::stop_requests::StopRequests;

/// The supervisor's state.
#[derive(Debug)]
pub(crate) struct Machine {
    policy: Policy,
    phase: Phase,
    /// Every slot that was ever used, by its number; those given up are inactive.
    slots: Vec<Slot>,
    /// Every worker whose end has not been reported.
    workers: BTreeMap<WorkerId, Worker>,
    next_worker: u64,
    /// The generation that new workers belong to, outside a reload.
    generation: u64,
    /// The newest generation that was ever used.
    latest: u64,
    /// A configuration is being read and checked; until when that may take.
    loading: Option<Option<Time>>,
    rollout: Option<Rollout>,
    /// A reload was asked for while another was under way.
    reload_wanted: bool,
    /// Reloads are asked for in quick succession: since when, and until when the next one waits.
    reload_burst: Option<(Time, Time)>,
    mutation: Option<Mutation>,
    /// The pools that have ever had a ready worker.
    once_ready: BTreeSet<PoolId>,
    /// The program file is being started anew; until when that may take.
    upgrade: Option<Option<Time>>,
    stop_requests: StopRequests,
    /// Another process of the program has taken over.
    replaced: bool,
    /// The limits of which it was told that they are too low.
    low_limits: BTreeSet<RecycleLimit>,
    /// When workers died, as far back as the limit looks.
    deaths: VecDeque<Time>,
    /// The launch ends with this instead of a clean stop.
    outcome: Option<LaunchOutcome>,
    /// The last reload or mutation came to nothing.
    reload_failed: bool,
    announced: Option<Announcement>,
    leaders: BTreeMap<PoolId, WorkerId>,
    /// The orders that have no outcome yet.
    orders: Vec<PendingOrder>,
    actions: Vec<Action>,
}

/// What the supervisor is doing as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Not every slot has had a ready worker at the same time yet.
    Starting,
    /// Every slot has been ready.
    Serving,
    /// Every worker was asked to stop; until when they may take.
    Stopping {
        /// When those still alive are killed; `None` for never.
        deadline: Option<Time>,
    },
    /// Every worker was killed; waits for their ends, for a moment at most.
    Killing {
        /// When the supervisor exits without them.
        deadline: Time,
        /// What the launch ends with.
        outcome: LaunchOutcome,
    },
    /// The launch has ended.
    Ended,
}

impl Machine {
    /// Makes the machine; nothing happens before [`Event::Start`].
    pub(crate) fn new(policy: Policy) -> Self {
        Self {
            policy,
            phase: Phase::Starting,
            slots: Vec::new(),
            workers: BTreeMap::new(),
            next_worker: 0,
            generation: 1,
            latest: 1,
            loading: None,
            rollout: None,
            reload_wanted: false,
            reload_burst: None,
            mutation: None,
            once_ready: BTreeSet::new(),
            upgrade: None,
            stop_requests: StopRequests::default(),
            replaced: false,
            low_limits: BTreeSet::new(),
            deaths: VecDeque::new(),
            outcome: None,
            reload_failed: false,
            announced: None,
            leaders: BTreeMap::new(),
            orders: Vec::new(),
            actions: Vec::new(),
        }
    }

    /// Takes in one event and returns what is to be done about it, in order.
    ///
    /// `now` never goes back.
    pub(crate) fn step(&mut self, now: Time, event: Event) -> Vec<Action> {
        if self.phase == Phase::Ended {
            return Vec::new();
        }
        self.take(now, event);
        self.settle(now);
        std::mem::take(&mut self.actions)
    }

    /// Returns when the machine wants to be stepped with [`Event::Clock`] at the latest.
    pub(crate) fn deadline(&self) -> Option<Time> {
        let workers = self.workers.values().filter_map(Worker::deadline);
        let hearts = self.next_heartbeat_check();
        let slots = self.slots.iter().filter_map(Slot::wake_up);
        let phase = match self.phase {
            Phase::Stopping { deadline } => deadline,
            Phase::Killing { deadline, .. } => Some(deadline),
            Phase::Starting | Phase::Serving | Phase::Ended => None,
        };
        workers
            .chain(hearts)
            .chain(slots)
            .chain(phase)
            .chain(self.loading.flatten())
            .chain(self.next_reload())
            .chain(self.upgrade.flatten())
            .chain(self.mutation.as_ref().and_then(Mutation::wake_up))
            .chain(self.rollout.as_ref().and_then(Rollout::wake_up))
            .min()
    }

    /// Returns the generation that new workers belong to.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// Returns every live worker.
    pub(crate) fn workers(&self) -> impl Iterator<Item = &Worker> {
        self.workers.values()
    }

    /// Returns whether a worker was told to go.
    pub(crate) fn is_leaving(&self, id: WorkerId) -> bool {
        self.workers.get(&id).is_some_and(Worker::is_leaving)
    }

    /// Returns how many slots are in use in all, and how many of them have a ready worker.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let pools = self.pools().into_values();
        pools.fold((0, 0), |all, pool| (all.0 + pool.0, all.1 + pool.1))
    }

    /// Returns for each pool in use how many slots it has, and how many have a ready worker.
    pub(crate) fn pools(&self) -> BTreeMap<PoolId, (usize, usize)> {
        let mut pools = BTreeMap::new();
        for slot in self.slots.iter().filter(|slot| slot.active) {
            let (active, ready): &mut (usize, usize) = pools.entry(slot.pool).or_default();
            *active += 1;
            *ready += usize::from(self.is_ready(slot.holder));
        }
        pools
    }

    /// Returns for each pool who runs what runs once in the program.
    pub(crate) fn leaders(&self) -> impl Iterator<Item = (PoolId, WorkerId)> {
        self.leaders.iter().map(|(pool, worker)| (*pool, *worker))
    }

    /// Returns whether a slot has, or is to have, a worker.
    pub(crate) fn uses(&self, slot: usize) -> bool {
        self.slots.get(slot).is_some_and(|slot| slot.active)
            || self.workers.values().any(|worker| worker.slot == slot)
    }

    /// Returns the workers that are on their way out.
    pub(crate) fn draining(&self) -> usize {
        self.workers
            .values()
            .filter(|worker| worker.is_leaving())
            .count()
    }

    /// Returns whether every slot has been ready, and no stop has begun.
    pub(crate) fn is_serving(&self) -> bool {
        self.phase == Phase::Serving
    }

    /// Returns whether a reload or mutation is under way.
    pub(crate) fn is_reloading(&self) -> bool {
        self.loading.is_some() || self.rollout.is_some() || self.mutation.is_some()
    }

    /// Returns whether the last reload or mutation was refused or undone.
    pub(crate) fn last_reload_failed(&self) -> bool {
        self.reload_failed
    }

    fn take(&mut self, now: Time, event: Event) {
        match event {
            Event::Start => self.open_pools(),
            Event::Forked(id) => self.forked(now, id),
            Event::ForkRefused(id) => self.fork_refused(now, id),
            Event::Ready(id) => self.ready(now, id),
            Event::Exited(id, code) => self.exited(now, id, code),
            Event::Hopeless(id, code) => self.hopeless(now, id, code),
            Event::Loaded(loaded) => self.loaded(now, loaded),
            Event::Mutated(id, answer) => self.mutated(id, answer),
            Event::Heartbeats(heartbeats) => self.heartbeats(heartbeats),
            Event::RecycleRequested(id, limit) => self.recycle_requested(now, id, limit),
            Event::Done(id) => self.done(now, id),
            Event::Upgraded(result) => self.upgraded(now, result),
            Event::Resumed => self.resumed(now),
            Event::Ordered(id, order) => self.ordered(now, id, order),
            Event::Asked(Request::Stop) => self.stop_requested(now),
            Event::Asked(Request::Quit) => self.quit(now, LaunchOutcome::Quit),
            Event::Asked(Request::Reload) => self.want_reload(now),
            Event::Asked(Request::More) => self.more(),
            Event::Asked(Request::Fewer) => self.fewer(now),
            Event::Asked(Request::Upgrade) => self.begin_upgrade(now),
            Event::Clock => {}
        }
    }

    /// Draws the consequences of the state, until there are none left.
    fn settle(&mut self, now: Time) {
        self.expire(now);
        if !self.is_stopping() {
            self.expire_loading(now);
            self.expire_mutation(now);
            self.expire_upgrade(now);
            self.start_loading(now);
            self.abort_hung(now);
            self.advance_rollout(now);
            self.recycle(now);
            self.end_if_all_done(now);
        }
        if !self.is_stopping() {
            self.fork_due(now);
            self.announce_ready();
        }
        self.lead();
        self.answer_orders();
        self.end_if_done(now);
    }

    /// Kills the workers that took longer than they may.
    fn expire(&mut self, now: Time) {
        let late: Vec<WorkerId> = self
            .workers
            .values()
            .filter(|worker| worker.deadline().is_some_and(|deadline| deadline <= now))
            .map(|worker| worker.id)
            .collect();
        for id in late {
            match self.workers[&id].state {
                State::Starting { .. } => self.log(LogEvent::StartTimedOut(id)),
                State::Stopping { .. } => self.log(LogEvent::StopTimedOut(id)),
                _ => {}
            }
            self.kill(id);
        }
    }

    fn open_pools(&mut self) {
        let counts: Vec<_> = self.policy.pools().map(|p| (p.id, p.workers)).collect();
        for (id, workers) in counts {
            self.set_count(id, workers);
        }
    }

    /// Lets the ready worker of each pool's lowest slot run what runs once in the program.
    fn lead(&mut self) {
        let pools: BTreeSet<PoolId> = self.slots.iter().map(|slot| slot.pool).collect();
        for pool in pools {
            let old = self.leaders.get(&pool).copied();
            let able: Vec<WorkerId> = self
                .slots_of(pool)
                .filter(|index| self.slots[*index].active)
                .filter_map(|index| self.slots[index].holder)
                .filter(|id| self.is_ready(Some(*id)))
                .collect();
            let stays = old.filter(|id| able.contains(id));
            let next = stays.or_else(|| able.first().copied());
            if next != old {
                match next {
                    Some(id) => self.leaders.insert(pool, id),
                    None => self.leaders.remove(&pool),
                };
                self.act(Action::Lead(pool, next));
            }
        }
    }

    fn announce_ready(&mut self) {
        if self.is_reloading() {
            return;
        }
        let (active, ready) = self.counts();
        if active == ready && self.phase == Phase::Starting {
            self.phase = Phase::Serving;
        }
        // A reload ends when it ends, even if a slot waits for its next worker meanwhile.
        if self.phase == Phase::Serving {
            self.announce(Announcement::Ready);
        }
    }

    fn announce(&mut self, announcement: Announcement) {
        if self.announced != Some(announcement) {
            self.announced = Some(announcement);
            self.act(Action::Announce(announcement));
        }
    }

    /// Returns whether a stop has begun.
    pub(crate) fn is_stopping(&self) -> bool {
        !matches!(self.phase, Phase::Starting | Phase::Serving)
    }

    fn is_ready(&self, id: Option<WorkerId>) -> bool {
        id.and_then(|id| self.workers.get(&id))
            .is_some_and(Worker::is_ready)
    }

    fn act(&mut self, action: Action) {
        self.actions.push(action);
    }

    fn log(&mut self, event: LogEvent) {
        match event {
            LogEvent::ReloadRefused(_) => self.reload_failed = true,
            LogEvent::Reloaded(_) => self.reload_failed = false,
            LogEvent::Mutated(refused) => self.reload_failed = refused > 0,
            _ => {}
        }
        self.act(Action::Log(event.clone()));
        self.answer_by_event(&event);
    }
}
