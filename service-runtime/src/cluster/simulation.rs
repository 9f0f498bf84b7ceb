//! Leases and membership under partitions, stalls and clocks that jump.
//!
//! Workers are the real [`Tenure`]; the store is the model that a test holds both engines to. Each request
//! takes its time to the store and back, and each way may lose it. Held to, after each step:
//!
//! 1. The numbers under which the store takes writes never go back, and each belongs to one worker.
//! 2. While the store's clock does not jump, never two workers rely on one lease at a time.
//! 3. When all trouble ends, somebody holds the lease within its time and one more attempt.
//! 4. A worker whose beat the store has taken within `down_after` of its clock is up, and one that was silent
//!    for longer is down, whatever the clocks of the hosts say.

use fastrand::Rng;

use super::lease::row::Model;
use super::lease::tenure::Tenure;
use super::liveness::{MemberState, ReportedState, Signs, Stamps};

const TTL: u64 = 15_000;
const WORKERS: usize = 5;
const DOWN_AFTER: u64 = 60_000;
/// What the clock of the store shows at first.
const EPOCH: i64 = 1_000_000_000_000;

#[derive(Clone, Copy)]
enum Request {
    Acquire,
    Renew(i64),
    Write(i64),
    Release(i64),
    Beat,
}

#[derive(Clone, Copy)]
enum Answer {
    Granted(Option<i64>),
    Renewed(bool),
    Other,
}

#[derive(Clone, Copy)]
enum Way {
    Idle,
    Sent(Request, u64),
    Back(Answer, u64),
}

struct Worker {
    tenure: Option<Tenure>,
    way: Way,
    /// Until when it does nothing: suspended, swapped out, paused.
    stalled: u64,
    cut_off: bool,
    stamps: Stamps,
}

struct World {
    rng: Rng,
    /// The time that passes for everybody.
    time: u64,
    /// How far the store's clock is from it.
    skew: i64,
    /// When the store's clock last jumped.
    jumped: u64,
    lease: Model,
    workers: Vec<Worker>,
    last_write: i64,
    owners: std::collections::HashMap<i64, usize>,
    handovers: u64,
    writes: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let worker = || Worker {
            tenure: None,
            way: Way::Idle,
            stalled: 0,
            cut_off: false,
            stamps: Stamps {
                seen: None,
                created: EPOCH,
            },
        };
        Self {
            rng: Rng::with_seed(seed),
            time: 0,
            skew: EPOCH,
            jumped: 0,
            lease: Model::default(),
            workers: (0..WORKERS).map(|_| worker()).collect(),
            last_write: 0,
            owners: std::collections::HashMap::new(),
            handovers: 0,
            writes: 0,
        }
    }

    fn store_now(&self) -> i64 {
        i64::try_from(self.time).unwrap() + self.skew
    }

    fn step(&mut self, trouble: bool) {
        self.time += self.rng.u64(0..TTL / 20);
        if trouble {
            self.trouble();
        }
        let index = self.rng.usize(0..WORKERS);
        match self.workers[index].way {
            Way::Idle => self.begin(index),
            Way::Sent(request, asked) => self.arrive(index, request, asked),
            Way::Back(answer, asked) => self.hear(index, answer, asked),
        }
        self.check();
    }

    fn trouble(&mut self) {
        let index = self.rng.usize(0..WORKERS);
        match self.rng.u32(0..400) {
            0 => self.workers[index].cut_off = true,
            1..=4 => self.workers[index].cut_off = false,
            5 => self.workers[index].stalled = self.time + self.rng.u64(0..3 * TTL),
            6 => self.time += self.rng.u64(0..2 * TTL),
            7 if self.rng.u32(0..10) == 0 => {
                self.skew += self.rng.i64(-200_000..200_000);
                self.jumped = self.time;
            }
            8 => {
                // The worker is killed; another one takes its place.
                self.workers[index].tenure = None;
                self.workers[index].way = Way::Idle;
            }
            _ => {}
        }
    }

    fn begin(&mut self, index: usize) {
        let worker = &mut self.workers[index];
        if worker.stalled > self.time {
            return;
        }
        if self.rng.u32(0..8) == 0 {
            worker.way = Way::Sent(Request::Beat, self.time);
            return;
        }
        let request = match worker.tenure {
            None => Request::Acquire,
            Some(tenure) if !tenure.holds(self.time) => {
                worker.tenure = None;
                return;
            }
            Some(tenure) if self.time >= tenure.due() => Request::Renew(tenure.fence()),
            Some(tenure) if self.rng.u32(0..50) == 0 => {
                worker.tenure = None;
                Request::Release(tenure.fence())
            }
            Some(tenure) => Request::Write(tenure.fence()),
        };
        worker.way = Way::Sent(request, self.time);
    }

    /// A request reaches the store, or is lost.
    fn arrive(&mut self, index: usize, request: Request, asked: u64) {
        let now = self.store_now();
        let holder = u32::try_from(index).unwrap();
        if self.workers[index].cut_off {
            self.unanswered(index);
            return;
        }
        let ttl = i64::try_from(TTL).unwrap();
        let answer = match request {
            Request::Acquire => {
                let fence = self.lease.acquire(holder, now, ttl);
                if let Some(fence) = fence {
                    let other = self.owners.insert(fence, index);
                    assert_eq!(other, None, "two workers got the number {fence}");
                    self.handovers += 1;
                }
                Answer::Granted(fence)
            }
            Request::Renew(fence) => Answer::Renewed(self.lease.renew(holder, fence, now, ttl)),
            Request::Write(fence) => {
                if self.lease.holds(holder, fence) {
                    assert!(
                        fence >= self.last_write,
                        "a write under an old number was taken"
                    );
                    self.last_write = fence;
                    self.writes += 1;
                }
                Answer::Other
            }
            Request::Release(fence) => {
                self.lease.release(holder, fence);
                Answer::Other
            }
            Request::Beat => {
                self.workers[index].stamps.seen = Some(now);
                Answer::Other
            }
        };
        self.workers[index].way = Way::Back(answer, asked);
    }

    /// An answer reaches the worker, or is lost.
    fn hear(&mut self, index: usize, answer: Answer, asked: u64) {
        let now = self.time;
        if self.workers[index].stalled > now {
            return;
        }
        if self.workers[index].cut_off {
            self.unanswered(index);
            return;
        }
        let worker = &mut self.workers[index];
        worker.way = Way::Idle;
        match answer {
            Answer::Granted(Some(fence)) => worker.tenure = Some(Tenure::new(fence, TTL, asked)),
            Answer::Renewed(true) => {
                if let Some(tenure) = &mut worker.tenure {
                    tenure.renewed(asked, now);
                }
            }
            Answer::Renewed(false) => {
                if let Some(tenure) = &mut worker.tenure {
                    tenure.refused();
                }
            }
            Answer::Granted(None) | Answer::Other => {}
        }
    }

    fn unanswered(&mut self, index: usize) {
        let now = self.time;
        let worker = &mut self.workers[index];
        worker.way = Way::Idle;
        if let Some(tenure) = &mut worker.tenure {
            tenure.unanswered(now);
        }
    }

    fn holders(&self) -> usize {
        let holds = |worker: &&Worker| worker.tenure.is_some_and(|tenure| tenure.holds(self.time));
        self.workers.iter().filter(holds).count()
    }

    fn check(&self) {
        // Whoever got a lease before the jump has given it up when its time is over.
        let clock_is_calm = self.jumped == 0 || self.time - self.jumped > TTL;
        if clock_is_calm {
            assert!(self.holders() <= 1, "two workers rely on one lease");
        }
        let now = self.store_now();
        for worker in &self.workers {
            let signs = Signs {
                stamps: worker.stamps,
                reported_state: ReportedState::Up,
                disabled: false,
                forced_down: false,
                process_gone: false,
            };
            let silent = now.abs_diff(worker.stamps.seen.unwrap_or(worker.stamps.created));
            let up = signs.state(now, DOWN_AFTER) == MemberState::Up;
            assert_eq!(up, silent <= DOWN_AFTER);
        }
    }

    /// Ends all trouble and gives everybody the time that it may take.
    fn calm(&mut self) {
        for worker in &mut self.workers {
            (worker.cut_off, worker.stalled) = (false, 0);
        }
        // A lease that was granted by a clock far ahead lasts until that moment comes.
        let granted_until = self.lease.expires - self.store_now();
        self.time += u64::try_from(granted_until.max(0)).unwrap();
        let until = self.time + 4 * TTL;
        let mut held = false;
        while self.time < until {
            self.step(false);
            held |= self.holders() == 1;
        }
        assert!(
            held,
            "nobody holds the lease although nothing is in the way"
        );
    }
}

#[test]
fn the_invariants_hold_over_a_million_steps_of_partitions_stalls_and_jumps() {
    let (mut handovers, mut writes) = (0, 0);
    for seed in 0..20 {
        let mut world = World::new(seed);
        for step in 1..=50_000 {
            world.step(true);
            if step % 5_000 == 0 {
                world.calm();
            }
        }
        handovers += world.handovers;
        writes += world.writes;
    }
    assert!(handovers > 1000, "only {handovers} handovers were tried");
    assert!(writes > 10_000, "only {writes} writes were tried");
}
