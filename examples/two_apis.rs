//! Two APIs in one program: one for everybody, one for operators, each with limits of its own.
//!
//! Run with
//!
//! ```text
//! cargo run --example two_apis -- --workers 2
//! ```
//!
//! `public` listens on port 8080, `admin` on a unix socket that only this user may open. Both run
//! in every worker; `--only public` and `--only admin` make two programs of it, each with a number
//! of workers of its own.
//!
//! What to try:
//!
//! - `curl 127.0.0.1:8080/` and `curl --unix-socket /tmp/two-apis.sock http://admin/`.
//! - `curl 127.0.0.1:8080/readyz`: it tells of both services.
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
        let text = format!("for everybody, on {}\n", self.bind);
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

#[service(after = "public")]
struct Admin;

#[service]
impl Admin {
    #[init]
    fn new(_settings: AdminSettings) -> Self {
        Self
    }

    #[routes]
    fn routes(&self, cx: &Context) -> Router {
        let cx = cx.clone();
        let text = move || format!("public is {}\n", *cx.phase_of("public").borrow());
        Router::new().route("/", get(move || std::future::ready(text())))
    }
}

#[launch]
fn main() {}
