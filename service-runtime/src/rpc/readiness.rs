//! Whether calls reach this worker: a ping to its own address comes back, or it is not ready.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::prepared::Prepared;
use super::server::Server;
use super::transport::OwnAddress;
use crate::backoff::Backoff;
use crate::service::{Context, Health};

/// The waits before a topic that cannot be served is tried again.
const WAITS: Backoff = Backoff::doubling(Duration::from_millis(100), Duration::from_secs(10));

/// Why calls do not reach a topic of a service, by topic.
#[derive(Debug, Default)]
struct Troubles(Mutex<BTreeMap<String, Trouble>>);

#[derive(Debug)]
struct Trouble {
    why: String,
    /// Whether the worker is not ready because of it.
    required: bool,
}

/// Returns how a service goes, as far as its topics are concerned; `None` if calls reach it.
pub(crate) fn trouble(cx: &Context) -> Option<Health> {
    let troubles = Troubles::of(cx);
    let troubles = troubles.0.lock().unwrap_or_else(PoisonError::into_inner);
    let required = troubles.iter().find(|(_, trouble)| trouble.required);
    let (topic, trouble) = required.or_else(|| troubles.iter().next())?;
    let note = format!(
        "calls of `{topic}` do not reach this worker: {}",
        trouble.why
    );
    Some(if trouble.required {
        Health::fail(note)
    } else {
        Health::warn(note)
    })
}

impl Troubles {
    fn of(cx: &Context) -> Arc<Self> {
        match cx.extension(|| Ok::<_, Infallible>(Self::default())) {
            Ok(troubles) => troubles,
            Err(never) => match never {},
        }
    }

    /// Takes note of how a ping went, and logs a change.
    fn went(&self, server: &Server, required: bool, result: Result<(), String>) {
        let (service, topic) = (server.cx.name(), server.topic());
        let mut troubles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(()) => {
                if troubles.remove(topic).is_some() {
                    tracing::info!(service, topic, "calls reach this worker again");
                }
            }
            Err(why) => {
                if !troubles.contains_key(topic) {
                    tracing::error!(service, topic, "calls do not reach this worker: {why}");
                }
                troubles.insert(topic.to_owned(), Trouble { why, required });
            }
        }
    }
}

/// Serves a topic, and pings it from then on.
///
/// # Errors
///
/// Returns why it cannot be served, unless that may pass.
pub(super) async fn serve(server: Arc<Server>, prepared: Arc<Prepared>) -> anyhow::Result<()> {
    let required = prepared.config.required;
    let first = begin(&server, &prepared).await;
    let own = match first {
        Ok(own) => Some(own),
        Err(error) if required && prepared.config.is_local() => return Err(error),
        Err(error) => {
            Troubles::of(&server.cx).went(&server, required, Err(format!("{error:#}")));
            None
        }
    };
    let own = match own {
        None if required => Some(retry(&server, &prepared).await?),
        own => own,
    };
    tracing::info!(
        service = server.cx.name(),
        "serving calls of {}",
        server.target
    );
    let group = server.cx.tasks().clone();
    group.background(
        format!("rpc ping {}", server.topic()),
        watch(server, prepared, own),
    );
    Ok(())
}

/// Serves the topic, and waits until the first ping came back.
async fn begin(server: &Arc<Server>, prepared: &Prepared) -> anyhow::Result<Arc<dyn OwnAddress>> {
    let own = prepared.transport.serve(Arc::clone(server)).await?;
    ping(&*own, prepared.config.ping_timeout())
        .await
        .map_err(anyhow::Error::msg)?;
    Ok(own)
}

/// Tries until the topic is served.
async fn retry(server: &Arc<Server>, prepared: &Prepared) -> anyhow::Result<Arc<dyn OwnAddress>> {
    let mut waits = WAITS.delays();
    loop {
        tokio::select! {
            () = sleep(waits.take_spread()) => {}
            () = server.cx.stopping() => anyhow::bail!("stopped before {} was served", server.target),
        }
        let begun = begin(server, prepared).await;
        let result = begun
            .as_ref()
            .map(|_| ())
            .map_err(|error| format!("{error:#}"));
        Troubles::of(&server.cx).went(server, true, result);
        if let Ok(own) = begun {
            return Ok(own);
        }
    }
}

/// Pings this worker again and again, and takes note of how that goes.
async fn watch(server: Arc<Server>, prepared: Arc<Prepared>, own: Option<Arc<dyn OwnAddress>>) {
    let required = prepared.config.required;
    let own = match own {
        Some(own) => own,
        None => match retry(&server, &prepared).await {
            Ok(own) => own,
            Err(_) => return,
        },
    };
    let troubles = Troubles::of(&server.cx);
    loop {
        tokio::select! {
            () = sleep(prepared.config.ping_interval) => {}
            () = server.cx.stopping() => return,
        }
        let result = ping(&*own, prepared.config.ping_timeout()).await;
        if server.cx.is_stopping() {
            return;
        }
        troubles.went(&server, required, result);
    }
}

async fn ping(own: &dyn OwnAddress, limit: Duration) -> Result<(), String> {
    match timeout(limit, own.ping()).await {
        Ok(result) => result.map_err(|error| format!("{error:#}")),
        Err(_) => {
            let limit = humantime::format_duration(limit);
            Err(format!("its own ping has no answer within {limit}"))
        }
    }
}
