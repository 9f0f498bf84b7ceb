//! Calls of hooks: named in every error, panics caught.

use std::sync::Arc;

use anyhow::{Context as _, anyhow};

use super::{HealthOutcome, HookOutcome};
use crate::service::{Context, Health};
use crate::tasks::{PeriodicError, SpawnError, catch_panic};

/// Runs a hook; its error and its panic name it.
pub async fn hook<O: HookOutcome>(
    cx: &Context,
    name: &'static str,
    hook: impl Future<Output = O>,
) -> anyhow::Result<()> {
    let _running = cx.enter_hook(name);
    match catch_panic(hook).await {
        Ok(outcome) => outcome
            .outcome()
            .with_context(|| format!("hook `{name}` failed")),
        Err(message) => Err(anyhow!("hook `{name}` panicked: {message}")),
    }
}

/// Asks a health hook; its panic is a failure too.
pub async fn health<O: HealthOutcome>(
    _cx: &Context,
    name: &'static str,
    hook: impl Future<Output = O>,
) -> Health {
    match catch_panic(hook).await {
        Ok(outcome) => outcome.outcome(),
        Err(message) => Health::fail(format!("hook `{name}` panicked: {message}")),
    }
}

/// Starts the `#[run]` hook as a task; its end is the service's end.
///
/// Whoever starts tasks cannot know that a stop is about to come; that one came in between is no
/// failure.
pub fn run<S, F, Fut>(
    cx: &Context,
    name: &'static str,
    this: &Arc<S>,
    hook: F,
) -> anyhow::Result<()>
where
    F: FnOnce(Arc<S>, Context) -> Fut,
    Fut: Future<Output: HookOutcome> + Send + 'static,
{
    let work = hook(Arc::clone(this), cx.clone());
    let cx = cx.clone();
    let group = cx.tasks().clone();
    group.try_spawn(name, async move {
        match work.await.outcome() {
            Ok(()) => cx.finish(),
            Err(error) if cx.is_stopping() && came_too_late(&error) => cx.finish(),
            Err(error) => cx.fail(error.context(format!("hook `{name}` failed"))),
        }
    })?;
    Ok(())
}

/// Returns whether an error says that a group took no more tasks.
fn came_too_late(error: &anyhow::Error) -> bool {
    let refused = match error.downcast_ref::<PeriodicError>() {
        Some(PeriodicError::Spawn(refused)) => Some(refused),
        _ => error.downcast_ref::<SpawnError>(),
    };
    matches!(refused, Some(SpawnError::Closed { .. }))
}
