//! Routes of a service, and the tables of those that have no type.

use std::sync::Arc;

use anyhow::{Context as _, anyhow};

use crate::http::{HttpConfig, axum, noting_routes, serve};
use crate::service::Context;

/// What a `#[routes]` may return: axum's `Router`, or a `Result` of it.
#[diagnostic::on_unimplemented(
    message = "a `#[routes]` cannot return `{Self}`",
    label = "neither `axum::Router` nor a `Result` of it",
    note = "return `service_runtime::http::axum::Router`; one with a state of its own becomes it by \
            `.with_state(…)`"
)]
pub trait RoutesOutcome {
    /// Turns what the method returned into a result.
    fn outcome(self) -> anyhow::Result<axum::Router>;
}

impl RoutesOutcome for axum::Router {
    fn outcome(self) -> anyhow::Result<axum::Router> {
        Ok(self)
    }
}

#[diagnostic::do_not_recommend]
impl<E: Into<anyhow::Error>> RoutesOutcome for Result<axum::Router, E> {
    fn outcome(self) -> anyhow::Result<axum::Router> {
        self.map_err(Into::into)
    }
}

/// Serves a service's routes on the listeners of its own table.
pub async fn routes<S, O: RoutesOutcome>(
    cx: &Context,
    name: &'static str,
    this: &Arc<S>,
    routes: impl FnOnce(Arc<S>) -> O,
) -> anyhow::Result<()> {
    let routes = {
        let _running = cx.enter_hook(name);
        let this = Arc::clone(this);
        let built = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| routes(this)));
        built
            .map_err(|payload| {
                let message = crate::tasks::panic_message(payload);
                anyhow!("hook `{name}` panicked: {message}")
            })?
            .outcome()
            .with_context(|| format!("hook `{name}` failed"))?
    };
    serve(cx, cx.config::<HttpConfig>()?, noting_routes(routes)).await
}

/// Declares the table of an [`HttpService`](crate::http::HttpService), with the keys of
/// [`HttpConfig`](crate::http::HttpConfig).
#[macro_export]
macro_rules! http_table {
    ($name:literal) => {
        $crate::__rt::inventory::submit! {
            $crate::__rt::table(|| {
                $crate::config::Section::of::<$crate::http::HttpConfig>($name)
                    .of_framework()
                    .listens_on($crate::http::ADDRESSES)
                    .opens($crate::http::open_files)
            })
        }
    };
}
