//! Clients that ask all the time, retry nothing and count every failure.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::client::Client;

/// How a client uses its connections.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Habit {
    /// Keeps a connection, and thinks up to 50 ms between requests.
    KeepsAlive,
    /// Takes a new connection for each request.
    Reconnects,
}

/// Clients at work.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    asked: Arc<AtomicU64>,
    failures: Arc<Mutex<Vec<String>>>,
    clients: Vec<JoinHandle<Vec<Duration>>>,
}

impl Load {
    /// Begins with so many clients.
    pub(crate) fn begin(address: &str, clients: usize, habit: Habit) -> Self {
        let mut load = Self {
            stop: Arc::default(),
            asked: Arc::default(),
            failures: Arc::default(),
            clients: Vec::new(),
        };
        for number in 0..clients {
            let (stop, asked) = (Arc::clone(&load.stop), Arc::clone(&load.asked));
            let failures = Arc::clone(&load.failures);
            let address = address.to_owned();
            load.clients.push(thread::spawn(move || {
                let mut dice = 0x9e37_79b9_u64.wrapping_mul(number as u64 + 1) | 1;
                let (mut times, mut connection) = (Vec::new(), None);
                while !stop.load(Ordering::Relaxed) {
                    let begun = Instant::now();
                    if let Err(error) = one(&address, habit, &mut connection) {
                        let reused = connection.take().is_some();
                        let text = format!("{error} ({habit:?}, reused: {reused})");
                        failures.lock().unwrap().push(text);
                    }
                    times.push(begun.elapsed());
                    asked.fetch_add(1, Ordering::Relaxed);
                    dice ^= dice << 13;
                    dice ^= dice >> 7;
                    dice ^= dice << 17;
                    // What a client does that has something else to do too.
                    thread::sleep(Duration::from_micros(dice % 50_000));
                }
                times
            }));
        }
        load
    }

    /// Waits until so many more requests were made.
    pub(crate) fn goes_on_for(&self, requests: u64) {
        let until = self.asked.load(Ordering::Relaxed) + requests;
        tests::harness::until("the clients ask on", || {
            self.asked.load(Ordering::Relaxed) >= until
        });
    }

    /// Ends it; returns how many requests were made, every failure, and the longest time.
    pub(crate) fn end(self) -> (u64, Vec<String>, Duration) {
        self.stop.store(true, Ordering::Relaxed);
        let mut times: Vec<Duration> = Vec::new();
        for client in self.clients {
            times.extend(client.join().unwrap());
        }
        times.sort_unstable();
        let failures = std::mem::take(&mut *self.failures.lock().unwrap());
        let longest = times.last().copied().unwrap_or_default();
        (self.asked.load(Ordering::Relaxed), failures, longest)
    }
}

/// Makes one request, on the connection there is if there is one.
fn one(address: &str, habit: Habit, kept: &mut Option<Client>) -> io::Result<()> {
    let mut fresh;
    let client = match (habit, kept.as_mut()) {
        (Habit::KeepsAlive, Some(client)) => client,
        (Habit::KeepsAlive, None) => kept.insert(Client::connect(address)?),
        (Habit::Reconnects, _) => {
            fresh = Client::connect(address)?;
            &mut fresh
        }
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
