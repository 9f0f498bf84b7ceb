//! Periodic hooks, as their attribute and the configuration say.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;

use super::HookOutcome;
use crate::service::{Context, Scope};
use crate::tasks::{self, Gate, PeriodicOnError};

/// What `#[periodic(…)]` says.
pub struct PeriodicHook {
    spec: tasks::Periodic,
    scope: Scope,
}

impl PeriodicHook {
    /// At fixed intervals.
    pub fn every(interval: Duration) -> Self {
        Self {
            spec: tasks::Periodic::every(interval),
            scope: Scope::Worker,
        }
    }

    /// When a cron expression says.
    #[cfg(feature = "cron")]
    pub fn cron(expression: &'static str, time_zone: Option<&'static str>) -> Self {
        Self {
            spec: tasks::Periodic::cron(expression, time_zone),
            scope: Scope::Worker,
        }
    }

    /// Whether the first run is at once.
    #[must_use]
    pub fn immediately(self, yes: bool) -> Self {
        Self {
            spec: self.spec.immediately(yes),
            ..self
        }
    }

    /// A random delay of each run.
    #[must_use]
    pub fn jitter(self, jitter: Duration) -> Self {
        Self {
            spec: self.spec.jitter(jitter),
            ..self
        }
    }

    /// Whether it runs at all.
    #[must_use]
    pub fn enabled(self, yes: bool) -> Self {
        Self {
            spec: self.spec.enabled(yes),
            ..self
        }
    }

    /// What an error means.
    #[must_use]
    pub fn on_error(self, on_error: PeriodicOnError) -> Self {
        Self {
            spec: self.spec.on_error(on_error),
            ..self
        }
    }

    /// Where it runs.
    #[must_use]
    pub fn scope(self, scope: Scope) -> Self {
        Self { scope, ..self }
    }
}

/// Starts a periodic hook; the table `[<service>.periodic.<name>]` may change when it runs.
pub fn periodic<S, F, Fut>(
    cx: &Context,
    periodic: PeriodicHook,
    name: &'static str,
    this: &Arc<S>,
    hook: F,
) -> anyhow::Result<()>
where
    S: Send + Sync + 'static,
    F: Fn(Arc<S>, Context) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: HookOutcome> + Send + 'static,
{
    let PeriodicHook { mut spec, scope } = periodic;
    #[cfg(feature = "config")]
    {
        spec = crate::settings::configuration::periodic_settings(cx, name, spec)?;
    }
    if scope == Scope::Program {
        let task = format!("{}/{name}", cx.name());
        let host = Arc::clone(cx.host());
        spec = spec.gate(Gate::new(move || host.lock(&task)));
    }
    #[cfg(feature = "cluster")]
    let task_lease = match scope {
        Scope::Cluster => {
            let task_lease = crate::cluster::TaskLease::take(cx, &format!("{}/{name}", cx.name()))
                .with_context(|| format!("periodic hook `{name}` cannot be started"))?;
            let gate = task_lease.clone();
            spec = spec.gate(Gate::new(move || gate.pass()));
            Some(task_lease)
        }
        _ => None,
    };
    #[cfg(not(feature = "cluster"))]
    anyhow::ensure!(
        scope != Scope::Cluster,
        "periodic hook `{name}` cannot be started: its scope needs the feature `cluster`"
    );
    let (this, context) = (Arc::clone(this), cx.clone());
    cx.tasks()
        .periodic(name, spec, move || {
            let run = hook(Arc::clone(&this), context.clone());
            #[cfg(feature = "cluster")]
            let task_lease = task_lease.clone();
            async move {
                #[cfg(feature = "cluster")]
                if let Some(task_lease) = task_lease {
                    // A run that lost its lease has said so in the log, and the next one is another worker's.
                    return task_lease
                        .run(run)
                        .await
                        .map_or(Ok(()), HookOutcome::outcome);
                }
                run.await.outcome()
            }
        })
        .with_context(|| format!("periodic hook `{name}` cannot be started"))?;
    Ok(())
}
