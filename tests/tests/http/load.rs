//! Clients that ask all the time, retry nothing and count every failure.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio_rustls::rustls::ClientConfig;

use super::client::Client;
use super::http2;

/// How clients use their connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Habit {
    /// Each keeps a connection, and thinks up to 50 ms between requests.
    KeepsAlive,
    /// Each takes a new connection for each request.
    Reconnects,
    /// Each keeps a connection of HTTP/2.
    Http2,
}

/// Where clients ask.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) address: String,
    /// How to speak TLS, if that is spoken there.
    pub(crate) tls: Option<Arc<ClientConfig>>,
}

/// Clients at work.
pub(crate) struct Load {
    name: String,
    tally: Tally,
    clients: Vec<JoinHandle<()>>,
}

/// What they have done so far. Every clone is the same.
#[derive(Clone, Default)]
pub(crate) struct Tally {
    stop: Arc<AtomicBool>,
    asked: Arc<AtomicU64>,
    failures: Arc<Mutex<Vec<String>>>,
    times: Arc<Mutex<Vec<Duration>>>,
}

impl Tally {
    pub(crate) fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    /// Takes note of a request and what became of it.
    pub(crate) fn asked(&self, begun: Instant, failure: Option<String>) {
        self.times.lock().unwrap().push(begun.elapsed());
        self.failures.lock().unwrap().extend(failure);
        self.asked.fetch_add(1, Ordering::Relaxed);
    }
}

/// Up to 50 ms, in no order: what a client does that has something else to do too.
pub(crate) struct Thoughts(u64);

impl Thoughts {
    pub(crate) fn of(client: usize) -> Self {
        Self(0x9e37_79b9_u64.wrapping_mul(client as u64 + 1) | 1)
    }

    pub(crate) fn next(&mut self) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        Duration::from_micros(self.0 % 50_000)
    }
}

impl Load {
    /// Begins with so many clients.
    pub(crate) fn begin(target: &Target, clients: usize, habit: Habit) -> Self {
        let how = if target.tls.is_some() { "TLS" } else { "plain" };
        let mut load = Self {
            name: format!("{clients} clients, {habit:?}, {how}"),
            tally: Tally::default(),
            clients: Vec::new(),
        };
        if habit == Habit::Http2 {
            let (target, tally) = (target.clone(), load.tally.clone());
            let asking = move || http2::ask_on(&target, clients, &tally);
            load.clients.push(thread::spawn(asking));
            return load;
        }
        for number in 0..clients {
            let (target, tally) = (target.clone(), load.tally.clone());
            load.clients.push(thread::spawn(move || {
                let (mut thoughts, mut connection) = (Thoughts::of(number), None);
                while tally.goes_on() {
                    let begun = Instant::now();
                    let asked = one(&target, habit, &mut connection);
                    let failure = asked.err().map(|error| {
                        let reused = connection.take().is_some();
                        format!("{error} ({habit:?}, reused: {reused})")
                    });
                    tally.asked(begun, failure);
                    thread::sleep(thoughts.next());
                }
            }));
        }
        load
    }

    /// Waits until so many more requests were made.
    pub(crate) fn goes_on_for(&self, requests: u64) {
        let asked = || self.tally.asked.load(Ordering::Relaxed);
        let until = asked() + requests;
        tests::harness::until("the clients ask on", || asked() >= until);
    }

    /// Ends it, shows how it went, and returns every failure.
    pub(crate) fn end(self) -> Vec<String> {
        self.tally.stop.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.join().unwrap();
        }
        let mut times = std::mem::take(&mut *self.tally.times.lock().unwrap());
        times.sort_unstable();
        let of = |part: usize| times[(times.len() - 1) * part / 1000];
        let failures = std::mem::take(&mut *self.tally.failures.lock().unwrap());
        println!(
            "{}: {} requests, {} failures, p50 {:?}, p99 {:?}, longest {:?}",
            self.name,
            times.len(),
            failures.len(),
            of(500),
            of(990),
            of(1000),
        );
        failures
    }
}

/// Makes one request, on the connection there is if there is one.
fn one(target: &Target, habit: Habit, kept: &mut Option<Client>) -> io::Result<()> {
    let connect = || match &target.tls {
        None => Client::connect(&target.address),
        Some(tls) => Client::secure(&target.address, tls),
    };
    let mut fresh;
    let client = match (habit, kept.as_mut()) {
        (Habit::Reconnects, _) => {
            fresh = connect()?;
            &mut fresh
        }
        (_, Some(client)) => client,
        (_, None) => kept.insert(connect()?),
    };
    let answer = client.get("/pid")?;
    if answer.status != 200 || answer.body.parse::<u32>().is_err() {
        return Err(io::Error::other(format!("answered {answer:?}")));
    }
    if answer.closes() {
        *kept = None;
    }
    Ok(())
}
