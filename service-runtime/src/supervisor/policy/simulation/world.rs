//! A world around the machine: processes that get ready, hang, die or ignore what they are told, an
//! operator, and time.

use std::time::Duration;

use super::super::*;
use super::any_policy;
use super::fake_system::{FakeSystem, Process};

/// The supervisor's own loop over a [`FakeSystem`], driven by chance.
pub(super) struct World {
    pub(super) decisions: Decisions,
    pub(super) random: fastrand::Rng,
    pub(super) system: FakeSystem,
    /// The operators who give orders, each with the one whose outcome is awaited.
    operators: [Option<OrderId>; 3],
    next_order: u64,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let policy = any_policy(&mut random);
        Self::of(policy, random)
    }

    pub(super) fn of(policy: Policy, random: fastrand::Rng) -> Self {
        Self {
            decisions: Decisions::new(policy),
            random,
            system: FakeSystem::new(),
            operators: [None; 3],
            next_order: 0,
        }
    }

    pub(super) fn machine(&self) -> &Machine {
        self.decisions.machine()
    }

    pub(super) fn feed(&mut self, event: Event) {
        if matches!(
            event,
            Event::Asked(Request::Stop | Request::Quit)
                | Event::Ordered(_, Order::Stop | Order::Quit)
        ) {
            self.system.stopping = true;
        }
        let asks_to_reload = matches!(
            event,
            Event::Asked(Request::Reload) | Event::Ordered(_, Order::Reload)
        );
        if asks_to_reload && (self.machine().is_reloading() || !self.system.reload_burst.is_empty())
        {
            self.system.reload_burst.push(self.system.now);
        }
        if self.system.exited.is_none() {
            // A break is the exit, which the system has noted.
            let _ = self.decisions.handle(event, &mut self.system);
        }
    }

    pub(super) fn random_step(&mut self) {
        let any = |world: &mut Self, choose: fn(&Process) -> bool| {
            let fit: Vec<WorkerId> = world
                .system
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
                    self.system
                        .live
                        .entry(worker)
                        .and_modify(|process| process.hung = true);
                }
            }
            84 => {
                if let Some(worker) = any(self, |process| process.ready) {
                    let limits = [
                        RecycleLimit::Requests,
                        RecycleLimit::Lifetime,
                        RecycleLimit::Memory,
                    ];
                    let limit = limits[usize::try_from(worker.0 % 3).unwrap()];
                    self.feed(Event::RecycleRequested(worker, limit));
                }
            }
            86 => self.system.refusing = self.random.u8(0..4) == 0,
            87 => {
                let done = any(self, |process| process.ready && !process.leaving());
                if let Some(worker) = done.filter(|_| self.random.u8(0..4) == 0) {
                    self.system
                        .live
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
            93 if self.random.u8(0..4) == 0 => {
                let asleep = Duration::from_millis(self.random.u64(0..30_000));
                self.suspend(asleep);
            }
            _ => self.pass_to_deadline(),
        }
    }

    /// Lets one of three operators give an order, if that one awaits no outcome.
    pub(super) fn random_order(&mut self, random: &mut fastrand::Rng) {
        let pool = PoolId(random.usize(0..4));
        let order = match random.u8(0..100) {
            0..20 => Order::Reload,
            20..30 => Order::Upgrade,
            30..55 => Order::Scale(pool, random.usize(0..5)),
            55..65 => Order::Recycle,
            65..80 => Order::Drain(pool, random.usize(0..4)),
            80..99 => Order::Fill(pool, random.usize(0..4)),
            _ => Order::Stop,
        };
        let operator = random.usize(0..3);
        let awaited = self.operators[operator];
        if self.system.exited.is_some()
            || awaited.is_some_and(|order| self.system.orders.contains(&order))
        {
            return;
        }
        let id = OrderId(self.next_order);
        self.next_order += 1;
        self.operators[operator] = Some(id);
        if order != Order::Stop {
            self.system.orders.insert(id);
        }
        self.feed(Event::Ordered(id, order));
    }

    pub(super) fn get_ready(&mut self, worker: WorkerId) {
        if let Some(process) = self.system.live.get_mut(&worker) {
            process.ready = true;
            process.ready_at.get_or_insert(self.system.now);
            self.feed(Event::Ready(worker));
        }
    }

    pub(super) fn exit(&mut self, worker: WorkerId, code: Option<i32>) {
        self.system.live.remove(&worker);
        self.system.mutating.remove(&worker);
        self.feed(Event::Exited(worker, code));
    }

    /// Answers a reading of the configuration, if there is one under way.
    pub(super) fn answer(&mut self, loaded: Result<Policy, ()>) {
        if std::mem::take(&mut self.system.loading) {
            self.feed(Event::Loaded(loaded));
        }
    }

    fn answer_load(&mut self) {
        if !self.system.loading {
            return;
        }
        let random = &mut self.random;
        let good = !self.system.hostile || random.u8(0..4) > 0;
        let method = if random.u8(0..4) == 0 {
            RestartMethod::Mutate
        } else {
            RestartMethod::Reload
        };
        let mut loaded = any_policy(random);
        loaded.method = method;
        if method == RestartMethod::Mutate {
            // Which services share a pool cannot change without new workers.
            loaded.own.clone_from(&self.machine().policy.own);
        }
        self.answer(if good { Ok(loaded) } else { Err(()) });
    }

    fn answer_upgrade(&mut self) {
        if std::mem::take(&mut self.system.upgrading) {
            let ready = self.system.hostile && self.random.u8(0..4) == 0;
            self.feed(Event::Upgraded(if ready { Ok(()) } else { Err(()) }));
        }
    }

    fn answer_mutation(&mut self) {
        if let Some(worker) = self.system.mutating.pop_first() {
            self.feed(Event::Mutated(worker, Ok(())));
        }
    }

    pub(super) fn pass(&mut self, time: Duration) {
        // The driver never sleeps past a deadline.
        let until = self.system.now + time;
        self.system.now = self
            .machine()
            .deadline()
            .map_or(until, |deadline| deadline.min(until));
        self.feed(Event::Clock);
    }

    /// Stops the supervisor and all workers for a while, whatever is due meanwhile.
    fn suspend(&mut self, asleep: Duration) {
        let due = self.machine().deadline();
        let since = self.system.now;
        self.system.now += asleep;
        self.system.woken = Some((since, self.system.now));
        // As the driver does when a sleep was much longer than asked for.
        let overslept = due.is_some_and(|due| due + Duration::from_secs(1) < self.system.now);
        self.feed(if overslept {
            Event::Resumed
        } else {
            Event::Clock
        });
        self.feed(Event::Clock);
    }

    pub(super) fn pass_to_deadline(&mut self) {
        if let Some(deadline) = self.machine().deadline() {
            self.system.now = deadline;
            self.feed(Event::Clock);
        }
    }

    pub(super) fn is_settled(&self) -> bool {
        let (active, ready) = self.machine().counts();
        let recycle_requested = self
            .machine()
            .workers()
            .any(|worker| worker.recycle_requested);
        active == ready
            && self.machine().draining() == 0
            && !self.machine().is_reloading()
            && !recycle_requested
    }

    /// Lets everything go well from now on, until nothing happens any more.
    pub(super) fn calm_down(&mut self) {
        self.system.hostile = false;
        for process in self.system.live.values_mut() {
            process.hung = false;
        }
        for _ in 0..10_000 {
            let before = self.system.now;
            let waiting: Vec<WorkerId> = self.system.live.keys().copied().collect();
            let mut quiet = true;
            for worker in waiting {
                let Some(process) = self.system.live.get(&worker) else {
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
            quiet &=
                !self.system.loading && !self.system.upgrading && self.system.mutating.is_empty();
            self.answer_load();
            self.answer_upgrade();
            self.answer_mutation();
            self.pass_to_deadline();
            // Heartbeats are looked at for ever; anything else comes to rest.
            let idle = self.system.now == before || self.is_settled();
            if quiet && idle || self.system.exited.is_some() {
                return;
            }
        }
        panic!("never calm: {:#?}", self.machine());
    }
}
