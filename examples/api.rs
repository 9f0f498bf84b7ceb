//! An HTTP API over several workers: routes in axum, one listener, reloads that no client sees.
//!
//! Run with
//!
//! ```text
//! cargo run --example api -- --workers 4 --set api.bind=127.0.0.1:8080
//! ```
//!
//! What to try, with `curl` in another terminal:
//!
//! - `curl 127.0.0.1:8080/pid` a few times: the workers take turns.
//! - `curl '127.0.0.1:8080/slow?ms=5000'` and `kill` the supervisor meanwhile: the answer still
//!   comes, then the program exits with 0.
//! - `kill -HUP` the supervisor while `curl '127.0.0.1:8080/stream?n=20'` runs: the old worker
//!   finishes it, `/pid` comes from new ones.
//! - `--set 'api.bind=["127.0.0.1:8080", "unix:/tmp/api.sock"]'`, then
//!   `curl --unix-socket /tmp/api.sock http://api/`.
//! - `kill -USR1` the supervisor: the log tells what each worker has answered, and how fast.
//! - `--set api.health_bind=unix:/tmp/api-health.sock`, then
//!   `curl --unix-socket /tmp/api-health.sock http://api/readyz`.
//! - `--set api.access_log=text`, `curl 127.0.0.1:8080/readyz`, `--sample-config` for all keys.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use serde::Deserialize;
use service_runtime::http::axum::Router;
use service_runtime::http::axum::body::{Body, Bytes};
use service_runtime::http::axum::extract::{Query, State};
use service_runtime::http::axum::routing::{get, post};
use service_runtime::prelude::*;
use tokio::time::sleep;

/// The author's own keys of the table `[api]`; those of HTTP are in it by themselves.
#[derive(Deserialize, Config)]
struct Settings {
    /// What `/` answers.
    #[config(default = "hello")]
    greeting: String,
    /// Where to listen, unless the configuration says something else.
    #[config(default = "127.0.0.1:8080")]
    #[expect(dead_code, reason = "read by the framework; here only for its default")]
    bind: String,
}

#[service]
struct Api {
    greeting: String,
    echoed: AtomicU64,
}

#[service]
impl Api {
    #[init]
    fn new(settings: Settings) -> Self {
        Self {
            greeting: settings.greeting,
            echoed: AtomicU64::new(0),
        }
    }

    #[routes]
    fn routes(self: Arc<Self>) -> Router {
        Router::new()
            .route("/", get(hello))
            .route("/pid", get(|| async { std::process::id().to_string() }))
            .route("/slow", get(slow))
            .route("/stream", get(stream))
            .route("/echo", post(echo))
            .with_state(self)
    }

    #[health]
    fn check(&self) -> Health {
        Health::pass()
    }

    #[stop]
    fn goodbye(&self) {
        let echoed = self.echoed.load(Ordering::Relaxed);
        tracing::info!("{echoed} bodies were echoed");
    }
}

async fn hello(State(api): State<Arc<Api>>) -> String {
    api.greeting.clone()
}

#[derive(Deserialize)]
struct Slow {
    ms: u64,
}

async fn slow(Query(Slow { ms }): Query<Slow>) -> &'static str {
    sleep(Duration::from_millis(ms)).await;
    "slow\n"
}

#[derive(Deserialize)]
struct Pieces {
    n: u64,
}

async fn stream(Query(Pieces { n }): Query<Pieces>) -> Body {
    let pieces = futures_util::stream::iter(0..n).then(|piece| async move {
        sleep(Duration::from_millis(100)).await;
        Ok::<_, Infallible>(format!("piece {piece}\n"))
    });
    Body::from_stream(pieces)
}

async fn echo(State(api): State<Arc<Api>>, body: Bytes) -> Bytes {
    api.echoed.fetch_add(1, Ordering::Relaxed);
    body
}

#[launch]
fn main() {}
