//! What `Live::load` costs, beside a clone of an `Arc` out of a watch channel and the table read anew.
//!
//! Run with: `cargo run --release -p service-runtime --example bench-live`.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use service_runtime::prelude::*;
use tokio::sync::watch;

const ROUNDS: usize = 9;

/// What is read.
#[derive(Clone, serde::Deserialize, Config)]
struct Settings {
    /// A number.
    #[config(default = 10, mutable)]
    limit: u32,
    /// A time.
    #[config(default = "30s", mutable)]
    idle: Duration,
}

#[service(name = "bench", config = Settings)]
struct Bench;

#[service]
impl Bench {
    #[start]
    fn measure(&self, cx: &Context) -> Result<()> {
        let live = cx.live::<Settings>()?;
        let (_sender, watched) = watch::channel(live.load());
        let load = median(1_000_000, || sum(&live.load()));
        let watch = median(1_000_000, || sum(&Arc::clone(&watched.borrow())));
        let read = median(10_000, || {
            cx.config::<Settings>().map_or(0, |now| sum(&now))
        });
        println!("Live::load {load:.1} ns, watch channel {watch:.1} ns, cx.config() {read:.1} ns");
        cx.finish();
        Ok(())
    }
}

fn sum(settings: &Settings) -> u64 {
    u64::from(settings.limit) + settings.idle.as_secs()
}

/// Returns nanoseconds a call.
fn median(calls: u32, call: impl Fn() -> u64) -> f64 {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let begun = Instant::now();
            for _ in 0..calls {
                black_box(call());
            }
            begun.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}

#[launch(workers = 1, log_level = "warn")]
fn main() -> Bench {
    Bench
}
