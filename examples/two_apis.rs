//! Two APIs in one program: one for everybody, one for operators, each with limits of its own.
//!
//! Run with
//!
//! ```text
//! cargo run --example two_apis -- --set public.workers=4 --set admin.workers=1
//! ```
//!
//! `public` listens on port 8080, `admin` on a unix socket that only this user may open. Each has workers of
//! its own under one supervisor: four that serve everybody, and one for operators that no crowd keeps
//! busy. Without the two numbers both run in every worker of `--workers`.
//!
//! What to try:
//!
//! - `curl 127.0.0.1:8080/` and `curl --unix-socket /tmp/two-apis.sock http://admin/`: each tells its worker.
//! - `kill -KILL` the worker of `admin`: another takes its place, and `public` does not notice.
//! - `kill -HUP` the supervisor: every worker of both is replaced, and no request fails.
//! - `--set public.max_connections=1` and two `curl`s: the second waits for another worker.

use serde::Deserialize;
use service_runtime::http::axum::Router;
use service_runtime::http::axum::routing::get;
use service_runtime::prelude::*;

/// Defaults of the table `[public]`.
#[derive(Deserialize, Config)]
struct PublicSettings {
    /// Where everybody is served.
    #[config(default = "127.0.0.1:8080")]
    bind: String,
}

#[service]
struct Public {
    bind: String,
}

#[service]
impl Public {
    #[init]
    fn new(settings: PublicSettings) -> Self {
        Self {
            bind: settings.bind,
        }
    }

    #[routes]
    fn routes(&self) -> Router {
        let pid = std::process::id();
        let text = format!("for everybody, on {}, by {pid}\n", self.bind);
        Router::new().route("/", get(move || std::future::ready(text.clone())))
    }
}

/// Defaults of the table `[admin]`.
#[derive(Deserialize, Config)]
#[expect(
    dead_code,
    reason = "read by the framework; here only for their defaults"
)]
struct AdminSettings {
    /// Where operators are served.
    #[config(default = "unix:/tmp/two-apis.sock")]
    bind: String,
    /// Who may open the socket.
    #[config(default = "600")]
    socket_mode: String,
}

#[service]
struct Admin;

#[service]
impl Admin {
    #[init]
    fn new(_settings: AdminSettings) -> Self {
        Self
    }

    #[routes]
    fn routes(&self, cx: &Context) -> Router {
        let (pid, generation) = (std::process::id(), cx.generation());
        let text = format!("for operators, generation {generation}, by {pid}\n");
        Router::new().route("/", get(move || std::future::ready(text.clone())))
    }
}

#[launch]
fn main() {}
