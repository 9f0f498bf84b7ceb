//! A program with as many series as it is told, for `benches/metrics.py`; or, told `--count`, what one count
//! costs beside a bare atomic.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use service_runtime::http::axum::Router;
use service_runtime::http::axum::routing::get;
use service_runtime::prelude::*;

/// How often each is counted in a round.
const TIMES: u32 = 2_000_000;

/// How many rounds there are; the median counts.
const ROUNDS: usize = 15;

#[service]
#[derive(Default)]
struct Web;

#[service]
impl Web {
    #[init]
    fn new() -> Self {
        let series = std::env::var("SERIES")
            .ok()
            .and_then(|text| text.parse().ok());
        for number in 0..series.unwrap_or(0) {
            let number = u32::to_string(&number);
            metrics::counter!("bench_series", "number" => number).increment(1);
        }
        if std::env::var_os("COUNT").is_some() {
            count();
        }
        Self
    }

    #[routes]
    fn routes(self: Arc<Self>) -> Router {
        Router::new().route("/", get(|| async { "hello" }))
    }
}

/// Prints the nanoseconds of one count, of each kind in turn.
fn count() {
    let atomic = AtomicU64::new(0);
    let kept = metrics::counter!("bench_kept");
    let histogram = metrics::histogram!("bench_kept_seconds");
    let bare = || {
        black_box(&atomic).fetch_add(1, Ordering::Relaxed);
    };
    let handle = || black_box(&kept).increment(1);
    let looked_up = || metrics::counter!("bench_looked_up", "label" => "value").increment(1);
    let recorded = || black_box(&histogram).record(black_box(0.02));
    let all: [(&str, &dyn Fn()); 4] = [
        ("atomic", &bare),
        ("counter", &handle),
        ("macro", &looked_up),
        ("histogram", &recorded),
    ];
    let mut figures = vec![Vec::new(); all.len()];
    for _ in 0..ROUNDS {
        for ((_, run), figures) in all.iter().zip(&mut figures) {
            let begun = Instant::now();
            for _ in 0..TIMES {
                run();
            }
            figures.push(begun.elapsed().as_secs_f64() * 1e9 / f64::from(TIMES));
        }
    }
    for ((name, _), mut figures) in all.iter().zip(figures) {
        figures.sort_by(f64::total_cmp);
        println!("count {name} {:.2}", figures[figures.len() / 2]);
    }
}

#[launch(workers = 2)]
fn main() {}
