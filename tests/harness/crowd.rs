//! Clients of the fixture program `echo` that ask all the time, retry nothing and keep every failure.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::unistd::Pid;

use super::{Client, Fixture, until};

/// Where clients connect to.
#[derive(Debug, Clone)]
pub enum Target {
    /// A TCP address.
    Tcp(String),
    /// The path of a unix socket.
    Unix(PathBuf),
}

impl Target {
    /// Returns the TCP address that the program has said it listens on.
    ///
    /// # Panics
    ///
    /// Panics if it has said none.
    #[track_caller]
    pub fn of(echo: &Fixture) -> Self {
        let said = echo.lines().with("listening on 127.");
        let address = said.last().and_then(|line| line.rsplit(' ').next());
        Self::Tcp(address.expect("it has said where").to_owned())
    }

    /// Takes a fresh connection, asks, and returns who answered.
    ///
    /// # Errors
    ///
    /// Returns a request that failed.
    pub fn ask(&self, habit: Habit) -> Result<Pid, Failure> {
        match self {
            Self::Tcp(address) => ask(habit, || Client::connect(address)),
            Self::Unix(path) => ask(habit, || Client::connect_unix(path)),
        }
    }
}

/// How a client uses a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Habit {
    /// Asks once.
    Once,
    /// Asks twice, and so knows who fails it. A worker that is told to stop owes an answer to the
    /// first request alone.
    Twice,
    /// Is told by `echo.greets` who has the connection, and asks once then.
    Greeted,
}

fn ask<S: io::Read + io::Write>(
    habit: Habit,
    connect: impl FnOnce() -> io::Result<Client<S>>,
) -> Result<Pid, Failure> {
    let at = Instant::now();
    let failed = |by, error| Failure {
        at,
        took: at.elapsed(),
        by,
        error,
    };
    let mut client = connect().map_err(|error| failed(None, error))?;
    let first = if habit == Habit::Greeted {
        client.answer("hello")
    } else {
        client.ask("first")
    };
    let by = first.map_err(|error| failed(None, error))?;
    if habit != Habit::Once {
        match client.ask("more") {
            Ok(same) if same == by => {}
            Ok(other) => return Err(failed(Some(by), io::Error::other(format!("by {other}")))),
            Err(error) => return Err(failed(Some(by), error)),
        }
    }
    Ok(by)
}

/// A request that failed.
#[derive(Debug)]
pub struct Failure {
    /// When the client began.
    pub at: Instant,
    /// How long it went on then.
    pub took: Duration,
    /// The worker that had the connection, if the client has heard from it.
    pub by: Option<Pid>,
    /// What the client saw.
    pub error: io::Error,
}

/// Clients at work, each on fresh connections.
pub struct Crowd {
    stop: Arc<AtomicBool>,
    asked: Arc<AtomicU64>,
    tally: Arc<Mutex<Tally>>,
    clients: Vec<JoinHandle<()>>,
}

/// What a crowd has seen.
#[derive(Debug, Default)]
pub struct Tally {
    /// How many connections were taken.
    pub asked: u64,
    /// Those that failed.
    pub failures: Vec<Failure>,
    /// The longest that a client waited from the begin of its connection to its last answer.
    pub longest: Duration,
    /// How many connections each worker served.
    pub by: BTreeMap<Pid, u64>,
}

impl Crowd {
    /// Begins with so many clients that ask once, and rest for `pause` after each request.
    #[must_use]
    pub fn begin(target: &Target, clients: usize, pause: Duration) -> Self {
        Self::with(target, clients, pause, Habit::Once)
    }

    /// Begins with clients of a habit.
    #[must_use]
    pub fn with(target: &Target, clients: usize, pause: Duration, habit: Habit) -> Self {
        let mut crowd = Self {
            stop: Arc::default(),
            asked: Arc::default(),
            tally: Arc::default(),
            clients: Vec::new(),
        };
        for _ in 0..clients {
            let (stop, asked) = (Arc::clone(&crowd.stop), Arc::clone(&crowd.asked));
            let (tally, target) = (Arc::clone(&crowd.tally), target.clone());
            crowd.clients.push(thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let begun = Instant::now();
                    let answered = target.ask(habit);
                    asked.fetch_add(1, Ordering::Relaxed);
                    tally
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .take(begun.elapsed(), answered);
                    if !pause.is_zero() {
                        thread::sleep(pause);
                    }
                }
            }));
        }
        crowd
    }

    /// Waits until so many more requests were made.
    ///
    /// # Panics
    ///
    /// Panics if they are not made.
    #[track_caller]
    pub fn goes_on_for(&self, requests: u64) {
        let goal = self.asked() + requests;
        until("the clients ask on", || self.asked() >= goal);
    }

    /// Returns how many requests were made so far.
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    /// Ends it and returns what it has seen.
    ///
    /// # Panics
    ///
    /// Panics if a client did.
    #[must_use]
    pub fn end(self) -> Tally {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.join().expect("no client panics");
        }
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.asked = self.asked.load(Ordering::Relaxed);
        std::mem::take(&mut tally)
    }
}

impl Tally {
    fn take(&mut self, took: Duration, answered: Result<Pid, Failure>) {
        self.longest = self.longest.max(took);
        match answered {
            Ok(by) => *self.by.entry(by).or_default() += 1,
            Err(failure) => self.failures.push(failure),
        }
    }

    /// Checks that no request failed.
    ///
    /// # Panics
    ///
    /// Panics if one did.
    #[track_caller]
    pub fn is_whole(&self) {
        let failures = self.failures.len();
        assert!(
            self.failures.is_empty(),
            "{failures} of {}: {:#?}",
            self.asked,
            self.failures
        );
    }
}
