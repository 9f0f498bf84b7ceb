//! Three services in one program: the order in which they start, and one that keeps failing.
//!
//! Run with
//!
//! ```text
//! cargo run --example several
//! ```
//!
//! `api` needs `cache`, and `cache` needs `db`: they start in that order, whatever `main` says, and
//! stop in reverse. Every three seconds `cache` fails; it is restarted, and the others go on.
//!
//! What to try:
//!
//! - `kill` it: see who stops first. It exits with 0.
//! - `--only db` runs one alone; `--only api` is refused, for `cache` is missing.
//! - Take the `on_error` away: the first failure ends the program with 1.
//! - Let `db` start after `api`: the circle is refused, with its path, before anything starts.

use std::time::Duration;

use service_runtime::prelude::*;
use tokio::time::sleep;

#[service]
struct Db;

#[service]
impl Db {
    #[start]
    fn connect(&self) {
        tracing::info!("db connected");
    }

    #[stop]
    fn disconnect(&self) {
        tracing::info!("db disconnected");
    }
}

#[service(after = "db", on_error = "restart")]
struct Cache;

#[service]
impl Cache {
    #[start]
    fn fill(&self) {
        tracing::info!("cache filled");
    }

    #[run]
    async fn serve(&self, cx: &Context) -> Result<()> {
        tokio::select! {
            () = sleep(Duration::from_secs(3)) => anyhow::bail!("out of memory"),
            () = cx.stopping() => Ok(()),
        }
    }

    #[stop]
    fn clear(&self) {
        tracing::info!("cache cleared");
    }
}

#[service(after = ["db", "cache"])]
struct Api;

#[service]
impl Api {
    #[start]
    fn open(&self) {
        tracing::info!("api open");
    }

    #[run]
    async fn watch_cache(&self, cx: &Context) -> Result<()> {
        let mut phase = cx.phase_of("cache");
        loop {
            tokio::select! {
                changed = phase.changed() => changed?,
                () = cx.stopping() => return Ok(()),
            }
            tracing::info!("api sees that the cache is {}", *phase.borrow_and_update());
        }
    }

    #[stop]
    fn close(&self) {
        tracing::info!("api closed");
    }
}

#[launch(workers = 1)]
fn main() -> (Api, Cache, Db) {
    (Api, Cache, Db)
}
