//! The hand that sends the signals.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use tests::harness::{Fixture, Worker, children, field, is_gone, parent, until, writer};

/// With fewer workers one more is asked for.
const FEW: usize = 3;

/// With so many one fewer is asked for.
const MANY: usize = 8;

/// Sends signals, and keeps what it has to give back.
pub(crate) struct Hand<'a> {
    pub(crate) echo: &'a Fixture,
    /// Changes with each upgrade.
    supervisor: Pid,
    /// Who was a supervisor so far.
    pub(crate) supervisors: BTreeSet<Pid>,
    random: u64,
    upgrades: bool,
    /// A new process of the program is on its way, or was.
    upgrading: bool,
    /// Processes that were to become supervisors.
    heirs: BTreeSet<Pid>,
    /// Those that are stopped, and when they go on.
    stopped: Vec<(Pid, Instant)>,
    sent: BTreeMap<String, usize>,
    /// When each worker was sent something that it does not survive, or not soon enough.
    pub(crate) killed: Vec<(Pid, Instant)>,
}

impl<'a> Hand<'a> {
    pub(crate) fn new(echo: &'a Fixture, seed: u64, upgrades: bool) -> Self {
        Self {
            echo,
            supervisor: echo.pid(),
            supervisors: BTreeSet::from([echo.pid()]),
            // The generator below must not begin with 0.
            random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            upgrades,
            upgrading: false,
            heirs: BTreeSet::new(),
            stopped: Vec::new(),
            sent: BTreeMap::new(),
            killed: Vec::new(),
        }
    }

    /// Draws a number below `bound`.
    fn draw(&mut self, bound: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) % bound
    }

    /// Returns the supervisor of the moment.
    pub(crate) fn supervisor(&mut self) -> Pid {
        if is_gone(self.supervisor) {
            // What it said last may be on its way still.
            until("a supervisor that is gone has a successor", || {
                self.follow()
            });
        } else if self.upgrading {
            self.follow();
        }
        self.supervisor
    }

    /// Turns to the process that has taken over, if there is another one now.
    fn follow(&mut self) -> bool {
        let lines = self.echo.lines().with("this process has taken over");
        let next = lines.last().map(|line| writer(line));
        let next = next.filter(|next| self.supervisors.insert(*next));
        if let Some(next) = next {
            self.supervisor = next;
            self.upgrading = false;
        }
        next.is_some()
    }

    /// Returns the children of the supervisor of the moment that are known to be workers.
    ///
    /// A process of an upgrade is a child as well, before there is a line that says so.
    fn known_workers(&mut self) -> Vec<Pid> {
        let mut workers = self.workers();
        let ready: BTreeSet<Pid> = self
            .echo
            .lines()
            .with("worker ready ")
            .iter()
            .map(|line| Worker::of(line).pid)
            .collect();
        workers.retain(|pid| ready.contains(pid));
        workers
    }

    /// Returns the workers of the supervisor of the moment, and perhaps a check.
    pub(crate) fn workers(&mut self) -> Vec<Pid> {
        let mut workers = children(self.supervisor());
        workers.retain(|pid| !self.heirs.contains(pid));
        workers
    }

    /// Has the program started anew.
    fn upgrade(&mut self, supervisor: Pid) {
        let begun = |hand: &Self| hand.echo.lines().with("upgrade begins: ");
        let before = begun(self).len();
        self.send(supervisor, Signal::SIGUSR2);
        // So that the new process is not taken for a worker. It may be refused as well.
        let told = Instant::now();
        while begun(self).len() == before && told.elapsed() < Duration::from_secs(1) {
            thread::sleep(Duration::from_millis(2));
        }
        let heirs = begun(self);
        self.upgrading |= heirs.len() > before;
        self.heirs
            .extend(heirs.iter().map(|line| Pid::from_raw(field(line, "pid"))));
    }

    /// Does once what it is about to do often, so that what is allocated once is there.
    pub(crate) fn warm_up(&mut self) {
        for generation in 2..5 {
            self.send(self.supervisor, Signal::SIGHUP);
            self.echo
                .wait_for(&format!("reloaded generation={generation}"));
        }
        for _ in 0..3 {
            self.send(self.supervisor, Signal::SIGTTIN);
            self.echo.ready_worker();
        }
        for _ in 0..3 {
            self.send(self.supervisor, Signal::SIGTTOU);
        }
    }

    /// Sends one signal to somebody, and rests.
    pub(crate) fn strike(&mut self) {
        let now = Instant::now();
        let (due, later): (Vec<_>, Vec<_>) = self.stopped.drain(..).partition(|(_, at)| *at <= now);
        self.stopped = later;
        for (pid, _) in due {
            self.go_on(pid);
        }
        let supervisor = self.supervisor();
        let workers = self.known_workers();
        if workers.is_empty() {
            thread::sleep(Duration::from_millis(5));
            return;
        }
        let drawn = self.draw(workers.len() as u64) as usize;
        let worker = workers[drawn];
        match self.draw(100) {
            0..22 => self.kill(worker, Signal::SIGKILL),
            22..30 => self.kill(worker, Signal::SIGABRT),
            30..34 => self.kill(worker, Signal::SIGINT),
            34..46 => self.send(worker, Signal::SIGTERM),
            46..52 => self.send(worker, Signal::SIGHUP),
            52..60 => {
                // Some come back in time, some are taken for dead.
                let long = self.draw(10) == 0;
                let pause = if long { 6000 } else { 10 + self.draw(500) };
                self.stop(worker, Duration::from_millis(pause));
            }
            60..72 => self.send(supervisor, Signal::SIGHUP),
            72..87 => {
                let more = match workers.len() {
                    ..FEW => true,
                    MANY.. => false,
                    _ => self.draw(2) == 0,
                };
                let signal = if more {
                    Signal::SIGTTIN
                } else {
                    Signal::SIGTTOU
                };
                self.send(supervisor, signal);
            }
            87..92 => {
                let pause = Duration::from_millis(10 + self.draw(200));
                self.stop(supervisor, pause);
            }
            92..96 => self.send(supervisor, Signal::SIGUSR1),
            96..99 => {
                for signal in [Signal::SIGTTIN, Signal::SIGTTOU, Signal::SIGUSR1] {
                    self.send(worker, signal);
                }
            }
            99 if self.upgrades => self.upgrade(supervisor),
            _ => {}
        }
        let pause = self.draw(60);
        thread::sleep(Duration::from_millis(pause));
    }

    /// Gives back what is held.
    pub(crate) fn let_go(&mut self) {
        for (pid, _) in std::mem::take(&mut self.stopped) {
            self.go_on(pid);
        }
    }

    /// Waits until the children are those that `calm` likes.
    pub(crate) fn until(&mut self, what: &str, mut calm: impl FnMut(Pid, &[Pid]) -> bool) {
        until(what, || {
            let supervisor = self.supervisor();
            let workers = self.workers();
            calm(supervisor, &workers)
        });
    }

    fn kill(&mut self, worker: Pid, signal: Signal) {
        self.killed.push((worker, Instant::now()));
        self.send(worker, signal);
    }

    fn stop(&mut self, pid: Pid, pause: Duration) {
        self.send(pid, Signal::SIGSTOP);
        self.stopped.push((pid, Instant::now() + pause));
    }

    fn go_on(&mut self, pid: Pid) {
        // The pid of one that is gone may be a stranger's by now.
        let is_ours = pid == self.supervisor
            || parent(pid).is_some_and(|parent| self.supervisors.contains(&parent));
        if is_ours {
            self.send(pid, Signal::SIGCONT);
        }
    }

    fn send(&mut self, pid: Pid, signal: Signal) {
        let whom = if pid == self.supervisor {
            "supervisor"
        } else {
            "worker"
        };
        // It may have ended a moment ago.
        if signal::kill(pid, signal).is_ok() {
            *self
                .sent
                .entry(format!("{signal} to a {whom}"))
                .or_default() += 1;
        }
    }
}

impl fmt::Display for Hand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sent: Vec<_> = self
            .sent
            .iter()
            .map(|(what, often)| format!("{often} {what}"))
            .collect();
        write!(f, "{}", sent.join(", "))
    }
}
