//! Random worlds for the machine: forks that fail, workers that die, hang and ignore, reloads,
//! signals and time, in any order. After each step the invariants of the module are checked.
//!
//! A failure prints the seed of its world; `one_world(seed)` plays it again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::*;

const STEPS: usize = 1_000_000;
const STEPS_OF_A_WORLD: usize = 400;

/// A worker as the world sees it.
#[derive(Debug, Default)]
struct Process {
    slot: usize,
    generation: u64,
    ready: bool,
    asked: bool,
    killed: bool,
    /// Its runtime stands still.
    hung: bool,
}

struct World {
    machine: Machine,
    random: fastrand::Rng,
    now: Time,
    live: BTreeMap<WorkerId, Process>,
    /// Every worker that was ever forked, with its generation.
    seen: BTreeMap<WorkerId, u64>,
    /// How many forks into a slot were refused at one moment, and at which.
    refused: BTreeMap<usize, (u32, Time)>,
    /// The generations whose reload failed.
    bad: BTreeSet<u64>,
    loading: bool,
    upgrading: bool,
    mutating: BTreeSet<WorkerId>,
    stopping: bool,
    exited: Option<Outcome>,
    last_kept: u64,
    /// Whether anything may still go wrong.
    hostile: bool,
    /// Whether forks are refused for now.
    refusing: bool,
}

/// Settings with short numbers, for a launch with one pool.
pub(in crate::launch::supervisor) fn policy(workers: usize) -> Policy {
    Policy {
        method: RestartMethod::Reload,
        graceful: Some(Duration::from_secs(60)),
        restart_limit: None,
        upgrade: Some(Duration::from_secs(15)),
        shared: pool(PoolId::SHARED, workers),
        own: Vec::new(),
    }
}

/// A pool of so many workers.
pub(in crate::launch::supervisor) fn pool(id: PoolId, workers: usize) -> Pool {
    Pool {
        id,
        workers,
        drain: Some(Duration::from_secs(20)),
        start: Some(Duration::from_secs(30)),
        respawn_delay: Duration::from_millis(100),
        respawn_delay_max: Duration::from_secs(30),
        healthy_after: Duration::from_secs(1),
        surge: 1,
        heartbeat: Some(Duration::from_secs(10)),
    }
}

/// Settings with one to three pools.
fn any_policy(random: &mut fastrand::Rng) -> Policy {
    let mut policy = policy(random.usize(1..6));
    policy.shared.surge = random.usize(1..4);
    for id in 1..3 {
        if random.u8(0..3) == 0 {
            let mut own = pool(PoolId(id), random.usize(1..4));
            own.surge = random.usize(1..3);
            policy.own.push(own);
        }
    }
    policy
}

impl Process {
    fn leaving(&self) -> bool {
        self.asked || self.killed
    }
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let policy = any_policy(&mut random);
        Self {
            machine: Machine::new(policy),
            random,
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
        }
    }

    fn feed(&mut self, event: Event) {
        if matches!(event, Event::Asked(Request::Stop | Request::Quit)) {
            self.stopping = true;
        }
        let mut answers = Vec::new();
        if self.machine.wants_beats(self.now) {
            let beats = self.live.iter().filter(|(_, process)| !process.hung);
            let beats = beats.map(|(worker, _)| (*worker, self.now)).collect();
            for action in self.machine.step(self.now, Event::Beats(beats)) {
                self.carry_out(action, &mut answers);
            }
        }
        for action in self.machine.step(self.now, event) {
            self.carry_out(action, &mut answers);
        }
        self.check();
        for answer in answers {
            self.feed(answer);
        }
    }

    fn carry_out(&mut self, action: Action, answers: &mut Vec<Event>) {
        assert!(self.exited.is_none(), "{action:?} after the exit");
        match action {
            Action::Fork {
                worker,
                place: Place { slot, .. },
                generation,
            } => {
                assert!(!self.stopping, "a fork after the stop began");
                assert_eq!(
                    self.seen.insert(worker, generation),
                    None,
                    "{worker:?} forked twice"
                );
                let replaced = self
                    .live
                    .values()
                    .any(|other| other.slot == slot && !other.leaving());
                let draining = self
                    .live
                    .values()
                    .any(|other| other.slot == slot && other.leaving());
                assert!(
                    !(replaced && draining),
                    "slot {slot} has one draining already"
                );
                if self.hostile && self.refusing {
                    let (count, at) = self.refused.entry(slot).or_default();
                    *count = if *at == self.now { *count + 1 } else { 1 };
                    *at = self.now;
                    // Another order may ask for the same slot at the same moment, but no loop may.
                    assert!(*count < 20, "no pause after a refusal");
                    answers.push(Event::ForkRefused(worker));
                    return;
                }
                self.live.insert(
                    worker,
                    Process {
                        slot,
                        generation,
                        ..Process::default()
                    },
                );
                answers.push(Event::Forked(worker));
            }
            Action::Stop(worker, _) => {
                let Some(process) = self.live.get_mut(&worker) else {
                    panic!("{worker:?} asked to stop, but it is no live worker");
                };
                assert!(!process.asked, "{worker:?} asked to stop twice");
                assert!(
                    !process.killed,
                    "{worker:?} asked to stop after it was killed"
                );
                process.asked = true;
            }
            Action::Abort(worker) => {
                let process = &self.live[&worker];
                assert!(process.hung, "{worker:?} aborted while its heart beats");
                assert!(!process.leaving(), "{worker:?} aborted on its way out");
                self.live
                    .entry(worker)
                    .and_modify(|process| process.asked = true);
            }
            Action::Kill(worker) => {
                let Some(process) = self.live.get_mut(&worker) else {
                    panic!("{worker:?} killed, but it is no live worker");
                };
                assert!(!process.killed, "{worker:?} killed twice");
                process.killed = true;
            }
            Action::Load(_) => {
                assert!(!self.loading, "two readings of the configuration at a time");
                assert!(!self.upgrading, "a reload during an upgrade");
                self.loading = true;
            }
            Action::CancelLoad => self.loading = false,
            Action::Mutate(workers) => {
                assert!(workers.iter().all(|worker| self.live.contains_key(worker)));
                self.mutating = workers.into_iter().collect();
            }
            Action::Keep(generation) => {
                assert!(
                    !self.bad.contains(&generation),
                    "a failed generation was kept"
                );
                self.last_kept = generation;
            }
            Action::Log(Note::ReloadRefused(Cause::Worker(worker))) => {
                self.bad.insert(self.seen[&worker]);
            }
            Action::Lead(_, Some(worker)) => {
                let leader = &self.live[&worker];
                assert!(
                    leader.ready && !leader.asked && !leader.killed,
                    "a leader on its way out"
                );
            }
            Action::Announce(Announcement::Stopping) => self.stopping = true,
            Action::Announce(announcement) => {
                assert!(!self.stopping, "announced after the stop");
                let reloading = announcement == Announcement::Reloading;
                assert_eq!(
                    reloading,
                    self.machine.is_reloading(),
                    "announced something else"
                );
            }
            Action::Exit(outcome) => self.exited = Some(outcome),
            Action::Upgrade => {
                assert!(!self.upgrading, "two upgrades at a time");
                assert!(!self.machine.is_reloading(), "an upgrade during a reload");
                self.upgrading = true;
            }
            Action::CancelUpgrade => {
                assert!(self.upgrading, "no upgrade to be given up");
                self.upgrading = false;
            }
            Action::HandOver { .. } => self.stopping = true,
            Action::Lead(_, None) | Action::Log(_) => {}
        }
    }

    fn check(&self) {
        if self.exited.is_some() {
            return;
        }
        let mut staying: BTreeMap<usize, usize> = BTreeMap::new();
        for process in self.live.values().filter(|process| !process.leaving()) {
            *staying.entry(process.slot).or_default() += 1;
        }
        for (slot, count) in staying {
            let pool = self.machine.slots[slot].pool;
            let successors = self.machine.under_way(pool);
            let replacing = self.machine.roll.is_some() || successors == 1;
            let allowed = if replacing { 2 } else { 1 };
            assert!(
                count <= allowed,
                "{count} live workers in slot {slot}, reload: {replacing}"
            );
        }
        if self.machine.is_reloading() && self.machine.announced.is_some() {
            assert_eq!(self.machine.announced, Some(Announcement::Reloading));
        }
        if let Some(deadline) = self.machine.deadline() {
            assert!(
                deadline > self.now,
                "a deadline that has passed is not acted on"
            );
        }
    }

    fn random_step(&mut self) {
        let any = |world: &mut Self, choose: fn(&Process) -> bool| {
            let fit: Vec<WorkerId> = world
                .live
                .iter()
                .filter(|(_, process)| choose(process))
                .map(|(worker, _)| *worker)
                .collect();
            (!fit.is_empty()).then(|| fit[world.random.usize(..fit.len())])
        };
        match self.random.u8(0..100) {
            0..30 => {
                if let Some(worker) = any(self, |process| !process.ready && !process.killed) {
                    self.get_ready(worker);
                }
            }
            30..42 => {
                if let Some(worker) = any(self, |process| process.asked || process.killed) {
                    self.exit(worker, Some(0));
                }
            }
            42..52 => {
                if let Some(worker) = any(self, |_| true) {
                    let code = self.random.bool().then_some(1);
                    self.exit(worker, code);
                }
            }
            52..62 => self.feed(Event::Asked(Request::Reload)),
            62..68 => self.feed(Event::Asked(Request::More)),
            68..74 => self.feed(Event::Asked(Request::Fewer)),
            74..82 => self.answer_load(),
            82..84 => self.answer_mutation(),
            85 => {
                if let Some(worker) = any(self, |process| process.ready && !process.leaving()) {
                    self.live
                        .entry(worker)
                        .and_modify(|process| process.hung = true);
                }
            }
            84 => {
                if let Some(worker) = any(self, |process| process.ready) {
                    self.feed(Event::Worn(worker));
                }
            }
            86 => self.refusing = self.random.u8(0..4) == 0,
            87 => {
                let done = any(self, |process| process.ready && !process.leaving());
                if let Some(worker) = done.filter(|_| self.random.u8(0..4) == 0) {
                    self.live
                        .entry(worker)
                        .and_modify(|process| process.asked = true);
                    self.feed(Event::Done(worker));
                }
            }
            88 => self.feed(Event::Asked(Request::Upgrade)),
            89 => self.answer_upgrade(),
            90..93 => {
                let step = Duration::from_millis(self.random.u64(0..5000));
                self.pass(step);
            }
            _ => self.pass_to_deadline(),
        }
    }

    fn get_ready(&mut self, worker: WorkerId) {
        if let Some(process) = self.live.get_mut(&worker) {
            process.ready = true;
            self.feed(Event::Ready(worker));
        }
    }

    fn exit(&mut self, worker: WorkerId, code: Option<i32>) {
        self.live.remove(&worker);
        self.mutating.remove(&worker);
        self.feed(Event::Exited(worker, code));
    }

    fn answer_load(&mut self) {
        if !std::mem::take(&mut self.loading) {
            return;
        }
        let random = &mut self.random;
        let good = !self.hostile || random.u8(0..4) > 0;
        let method = if random.u8(0..4) == 0 {
            RestartMethod::Mutate
        } else {
            RestartMethod::Reload
        };
        let mut loaded = any_policy(random);
        loaded.method = method;
        if method == RestartMethod::Mutate {
            // Which services share a pool cannot change without new workers.
            loaded.own.clone_from(&self.machine.policy.own);
        }
        self.feed(Event::Loaded(if good { Ok(loaded) } else { Err(()) }));
    }

    fn answer_upgrade(&mut self) {
        if std::mem::take(&mut self.upgrading) {
            let ready = self.hostile && self.random.u8(0..4) == 0;
            self.feed(Event::Upgraded(if ready { Ok(()) } else { Err(()) }));
        }
    }

    fn answer_mutation(&mut self) {
        if let Some(worker) = self.mutating.pop_first() {
            self.feed(Event::Mutated(worker));
        }
    }

    fn pass(&mut self, time: Duration) {
        // The driver never sleeps past a deadline.
        let until = self.now + time;
        self.now = self
            .machine
            .deadline()
            .map_or(until, |deadline| deadline.min(until));
        self.feed(Event::Clock);
    }

    fn pass_to_deadline(&mut self) {
        if let Some(deadline) = self.machine.deadline() {
            self.now = deadline;
            self.feed(Event::Clock);
        }
    }

    fn is_settled(&self) -> bool {
        let (active, ready) = self.machine.counts();
        let worn = self.machine.workers().any(|worker| worker.worn);
        active == ready && self.machine.draining() == 0 && !self.machine.is_reloading() && !worn
    }

    /// Lets everything go well from now on, until nothing happens any more.
    fn calm_down(&mut self) {
        self.hostile = false;
        for process in self.live.values_mut() {
            process.hung = false;
        }
        for _ in 0..10_000 {
            let before = self.now;
            let waiting: Vec<WorkerId> = self.live.keys().copied().collect();
            let mut quiet = true;
            for worker in waiting {
                let Some(process) = self.live.get(&worker) else {
                    continue;
                };
                if process.killed || process.asked {
                    quiet = false;
                    self.exit(worker, Some(0));
                } else if !process.ready {
                    quiet = false;
                    self.get_ready(worker);
                }
            }
            quiet &= !self.loading && !self.upgrading && self.mutating.is_empty();
            self.answer_load();
            self.answer_upgrade();
            self.answer_mutation();
            self.pass_to_deadline();
            // Heartbeats are looked at for ever; anything else comes to rest.
            let idle = self.now == before || self.is_settled();
            if quiet && idle || self.exited.is_some() {
                return;
            }
        }
        panic!("never calm: {:#?}", self.machine);
    }
}

/// Plays one world: trouble, calm, stop. Returns how many random steps it took.
fn one_world(seed: u64) -> usize {
    let mut world = World::new(seed);
    world.feed(Event::Start);
    for step in 0..STEPS_OF_A_WORLD {
        if world.exited.is_some() {
            return step;
        }
        world.random_step();
    }
    world.calm_down();
    if world.exited.is_none() && !world.stopping {
        assert_serving(&world);
        stop_somehow(&mut world);
    }
    STEPS_OF_A_WORLD
}

fn assert_serving(world: &World) {
    let machine = &world.machine;
    let (active, ready) = machine.counts();
    assert_eq!(
        (active, machine.draining()),
        (ready, 0),
        "not all slots are ready"
    );
    assert_eq!(world.live.len(), active, "as many processes as slots");
    let generation = machine.generation();
    assert_eq!(
        world.last_kept, generation,
        "the configuration kept is the generation's"
    );
    assert!(
        world
            .live
            .values()
            .all(|process| process.generation == generation)
    );
    assert_eq!(machine.phase, Phase::Serving);
    assert_eq!(machine.announced, Some(Announcement::Ready));
    for pool in machine.pools().keys() {
        let leader = machine.leaders.get(pool);
        assert!(leader.is_some_and(|leader| world.live.contains_key(leader)));
    }
}

/// Some workers end when asked, some only when killed, and some never.
fn stop_somehow(world: &mut World) {
    let asked_at = world.now;
    world.feed(Event::Asked(Request::Stop));
    while world.exited.is_none() {
        let obedient: Vec<WorkerId> = world
            .live
            .iter()
            .filter(|(worker, process)| process.killed && worker.0 % 5 != 0 || worker.0 % 3 == 0)
            .map(|(worker, _)| *worker)
            .collect();
        for worker in obedient {
            world.exit(worker, None);
        }
        if world.exited.is_none() {
            let before = world.now;
            world.pass_to_deadline();
            assert!(world.now > before, "a stop without a bound");
        }
    }
    assert!(
        world.now - asked_at <= Duration::from_secs(61),
        "the stop took too long"
    );
}

#[test]
fn a_million_random_steps_break_no_invariant() {
    let mut steps = 0;
    let mut seed = 0;
    while steps < STEPS {
        let played = std::panic::catch_unwind(|| one_world(seed));
        match played {
            Ok(played) => steps += played,
            Err(_) => panic!("world {seed} broke an invariant: play it again with `one_world`"),
        }
        seed += 1;
    }
    assert!(steps >= STEPS);
}
