//! Serves methods under a topic: once its own ping came back, and for as long as it does.

use std::sync::Arc;

use super::address::Target;
use super::base;
use super::dispatch::Dispatch;
use super::method::Method;
use super::prepared::Prepared;
use super::readiness;
use super::server::Server;
use super::stats::Stats;
use crate::service::Context;

/// Serves methods under a topic, as tasks of the service, until it stops.
///
/// `#[rpc]` methods are served under the name of their service; this is for a program that makes its
/// [`Method`]s by hand. It returns when a ping to this worker came back on the way that calls take, or at once
/// with `rpc.required = false`. Calls that are in progress when the service stops run to their end; those that
/// have not begun are given back to their callers, who find another server.
///
/// # Errors
///
/// Returns an error if two methods would answer the same request, or the topic cannot be served.
pub async fn serve(
    cx: &Context,
    topic: impl Into<String>,
    methods: Vec<Method>,
) -> anyhow::Result<()> {
    let topic = topic.into();
    let stats = Stats::of(cx).topic(&topic, &methods);
    let dispatch = Dispatch::new(methods)?;
    let prepared = Prepared::of(cx)?;
    let config = &prepared.config;
    let name = config.server()?;
    let server = Arc::new(Server {
        cx: cx.clone(),
        target: Target {
            exchange: config.exchange.clone(),
            topic: topic.clone(),
            server: Some(name.clone()),
        },
        name,
        base: base::methods(&topic, &dispatch)?,
        dispatch,
        limit: config.limit(),
        slots: config.slots,
        slow: Some(config.slow_call).filter(|slow| !slow.is_zero()),
        stats,
    });
    readiness::serve(server, prepared).await
}
