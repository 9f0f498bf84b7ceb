//! How a service is built.

use std::sync::Arc;

use anyhow::{Context as _, anyhow};

use crate::service::{AnyService, BoxFuture, Context, InitFn, Service};
use crate::tasks::catch_panic;

/// The type of a service's configuration table, before the service's name is known.
#[cfg(feature = "config")]
#[derive(Clone, Copy)]
pub struct InitSection(fn(&'static str) -> crate::config::Section);

/// The `#[init]` of a service.
pub struct Init<S> {
    build: Arc<dyn Fn(Context) -> BoxFuture<'static, anyhow::Result<S>> + Send + Sync>,
}

/// What an `#[init]` may return: the service, or a `Result` of it.
#[diagnostic::on_unimplemented(
    message = "an `#[init]` of `{S}` cannot return `{Self}`",
    label = "neither `{S}` nor a `Result` of it",
    note = "return `Self`, or `Result<Self>` of the prelude, which takes any `std::error::Error`"
)]
pub trait InitOutcome<S> {
    /// Turns what the hook returned into a result.
    fn outcome(self) -> anyhow::Result<S>;
}

impl<S> InitOutcome<S> for S {
    fn outcome(self) -> anyhow::Result<S> {
        Ok(self)
    }
}

#[diagnostic::do_not_recommend]
impl<S, E: Into<anyhow::Error>> InitOutcome<S> for Result<S, E> {
    fn outcome(self) -> anyhow::Result<S> {
        self.map_err(Into::into)
    }
}

/// An `#[init]` without a configuration.
pub fn init<S, F, Fut>(build: F) -> Init<S>
where
    F: Fn(Context) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: InitOutcome<S>> + Send + 'static,
{
    Init {
        build: Arc::new(move |cx| {
            let built = build(cx);
            Box::pin(async move { built.await.outcome() })
        }),
    }
}

/// An `#[init]` that takes the service's configuration table.
#[cfg(feature = "config")]
pub fn init_from<S, C, F, Fut>(build: F) -> Init<S>
where
    C: crate::config::Config,
    F: Fn(C, Context) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: InitOutcome<S>> + Send + 'static,
{
    Init {
        build: Arc::new(move |cx| match cx.config::<C>() {
            Ok(config) => {
                let built = build(config, cx);
                Box::pin(async move { built.await.outcome() })
            }
            Err(error) => Box::pin(async { Err(error) }),
        }),
    }
}

/// The configuration table of a service.
#[cfg(feature = "config")]
pub const fn section<C: crate::config::Config>() -> InitSection {
    InitSection(|name| crate::config::Section::of::<C>(name))
}

#[cfg(feature = "config")]
impl InitSection {
    pub(super) fn of(self, name: &'static str) -> crate::config::Section {
        (self.0)(name)
    }
}

impl<S: Service> Init<S> {
    /// Forgets the type, and names the hook in its errors.
    pub(crate) fn erase(self) -> InitFn {
        let build = self.build;
        Arc::new(move |cx| {
            let build = Arc::clone(&build);
            Box::pin(async move {
                let _running = cx.enter_hook("init");
                let built = catch_panic(async { build(cx.clone()).await }).await;
                let service = built
                    .map_err(|message| anyhow!("`#[init]` panicked: {message}"))?
                    .context("`#[init]` failed")?;
                Ok(AnyService::new(service))
            })
        })
    }
}
