//! Services of different types, held as one.

use std::sync::Arc;

use super::{BoxFuture, Context, Description, Health, Service};

/// A service of any type.
#[derive(Clone)]
pub(crate) struct AnyService(Arc<dyn Erased>);

/// A service that can be run: built already, or to be built from its configuration.
#[derive(Clone)]
pub(crate) struct Definition {
    pub(crate) description: Description,
    pub(crate) build: Build,
}

/// Where a service's value comes from.
#[derive(Clone)]
pub(crate) enum Build {
    /// From `main`.
    Value(AnyService),
    /// From the service's `#[init]`.
    Init(InitFn),
}

/// Builds a service from its context.
pub(crate) type InitFn =
    Arc<dyn Fn(Context) -> BoxFuture<'static, anyhow::Result<AnyService>> + Send + Sync>;

trait Erased: Send + Sync {
    fn description(&self) -> Description;
    fn start<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, anyhow::Result<()>>;
    fn stop<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, anyhow::Result<()>>;
    fn ready<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, anyhow::Result<()>>;
    fn stopped<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, anyhow::Result<()>>;
    fn reset<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, anyhow::Result<()>>;
    fn wait<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, anyhow::Result<()>>;
    fn health<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Health>;
}

struct Typed<S>(Arc<S>);

impl<S: Service> Erased for Typed<S> {
    fn description(&self) -> Description {
        self.0.description()
    }

    fn start<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, anyhow::Result<()>> {
        Box::pin(self.0.start(cx))
    }

    fn stop<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, anyhow::Result<()>> {
        Box::pin(self.0.stop(cx))
    }

    fn ready<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, anyhow::Result<()>> {
        Box::pin(self.0.ready(cx))
    }

    fn stopped<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, anyhow::Result<()>> {
        Box::pin(self.0.stopped(cx))
    }

    fn reset<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, anyhow::Result<()>> {
        Box::pin(self.0.reset(cx))
    }

    fn wait<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, anyhow::Result<()>> {
        Box::pin(self.0.wait(cx))
    }

    fn health<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Health> {
        Box::pin(self.0.health(cx))
    }
}

impl AnyService {
    pub(crate) fn new<S: Service>(service: S) -> Self {
        Self(Arc::new(Typed(Arc::new(service))))
    }

    pub(crate) fn description(&self) -> Description {
        self.0.description()
    }

    pub(crate) async fn start(&self, cx: &Context) -> anyhow::Result<()> {
        self.0.start(cx).await
    }

    pub(crate) async fn stop(&self, cx: &Context) -> anyhow::Result<()> {
        self.0.stop(cx).await
    }

    pub(crate) async fn ready(&self, cx: &Context) -> anyhow::Result<()> {
        self.0.ready(cx).await
    }

    pub(crate) async fn stopped(&self, cx: &Context) -> anyhow::Result<()> {
        self.0.stopped(cx).await
    }

    pub(crate) async fn reset(&self, cx: &Context) -> anyhow::Result<()> {
        self.0.reset(cx).await
    }

    pub(crate) async fn wait(&self, cx: &Context) -> anyhow::Result<()> {
        self.0.wait(cx).await
    }

    pub(crate) async fn health(&self, cx: &Context) -> Health {
        self.0.health(cx).await
    }
}

impl Definition {
    pub(crate) fn of_value<S: Service>(service: S) -> Self {
        let service = AnyService::new(service);
        Self {
            description: service.description(),
            build: Build::Value(service),
        }
    }
}
