//! What a supervisor has to come through, from outside: `docs/reliability.md` says what is proved here.
//!
//! Where a time is the promise itself, it is asserted with a factor for a machine that others use
//! too, [`NOISE`].

mod boots;
mod chaos;
mod clock;
mod endurance;
mod fairness;
mod hangs;
mod inheritance;
mod kills;
mod load;
mod orphans;
mod output;
mod pids;
mod reloads;
mod resources;
mod storms;
mod watchdog;
mod web;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

/// How many times as long as promised anything may take, so that a busy machine fails no test.
const NOISE: u32 = 4;

const DAY: u128 = 24 * 60 * 60 * 1_000_000;

/// Returns how long ago a moment was that is given as [`tests::harness::stamp`] gives it, or how far
/// the one is from the other.
fn since(earlier: Duration, later: Duration) -> Duration {
    let micros = (later.as_micros() + DAY - earlier.as_micros()) % DAY;
    // A little less than a day is a little before.
    let micros = if micros > DAY / 2 { 0 } else { micros };
    Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
}

/// Returns the time of this day, as log lines have it.
fn time_of_day() -> Duration {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let micros = now.unwrap_or_default().as_micros() % DAY;
    Duration::from_micros(u64::try_from(micros).unwrap_or_default())
}

/// Ends what other threads do until it is over, also when a test fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
