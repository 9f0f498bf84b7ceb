//! A service that is nothing but its routes.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use super::route::noting_routes;
use super::{Handler, HttpConfig, serve};
use crate::service::{Context, Description, Service};

/// Serves axum's routes, or any tower service, as a service of its own.
///
/// Its configuration is the table of its name, with the keys of [`HttpConfig`]; declare it by
/// [`http_table!`](crate::http_table), or give a configuration by [`with`](Self::with).
///
/// # Examples
///
/// ```no_run
/// use service_runtime::http::{HttpService, axum};
/// use service_runtime::prelude::*;
///
/// service_runtime::http_table!("api");
///
/// #[launch]
/// fn main() -> HttpService {
///     let routes = axum::Router::new().route("/", axum::routing::get(|| async { "hello" }));
///     HttpService::new("api", routes)
/// }
/// ```
pub struct HttpService<H = axum::Router> {
    name: Cow<'static, str>,
    config: Option<HttpConfig>,
    // A handler is cloned, never shared.
    handler: Mutex<H>,
}

impl HttpService {
    /// Serves routes.
    pub fn new(name: impl Into<Cow<'static, str>>, routes: axum::Router) -> Self {
        HttpService::tower(name, noting_routes(routes))
    }
}

impl<H: Handler> HttpService<H> {
    /// Serves with any tower service that takes and gives what [`Handler`] says.
    pub fn tower(name: impl Into<Cow<'static, str>>, service: H) -> Self {
        Self {
            name: name.into(),
            config: None,
            handler: Mutex::new(service),
        }
    }

    /// Takes this configuration, and none of a file.
    #[must_use]
    pub fn with(mut self, config: HttpConfig) -> Self {
        self.config = Some(config);
        self
    }
}

impl<H: Handler> Service for HttpService<H> {
    fn description(&self) -> Description {
        Description::new(self.name.clone())
    }

    async fn start(self: &Arc<Self>, cx: &Context) -> anyhow::Result<()> {
        let config = match &self.config {
            Some(config) => config.clone(),
            None => cx.config()?,
        };
        let handler = {
            let handler = self.handler.lock();
            handler.unwrap_or_else(PoisonError::into_inner).clone()
        };
        serve(cx, config, handler).await
    }
}

impl<H> std::fmt::Debug for HttpService<H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpService")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
