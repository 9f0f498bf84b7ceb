//! The table `[rpc]` and what carries calls by it, made once for each state of the configuration.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use super::config::RpcConfig;
use super::local::Local;
#[cfg(feature = "nats")]
use super::nats::Nats;
use super::transport::Transport;
use super::url::Engine;
use crate::config::Snapshot;
use crate::service::Context;

/// What every call of a service needs.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) config: RpcConfig,
    pub(super) transport: Arc<dyn Transport>,
}

/// What was made of the state of the moment.
#[derive(Default)]
struct Cache(Mutex<Option<(Snapshot, Arc<Prepared>)>>);

impl Prepared {
    /// Returns what was made of the configuration of the moment.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with the table.
    pub(super) fn of(cx: &Context) -> anyhow::Result<Arc<Self>> {
        let cache = match cx.extension(|| Ok::<_, Infallible>(Cache::default())) {
            Ok(cache) => cache,
            Err(never) => match never {},
        };
        let snapshot = cx.snapshot();
        let mut kept = cache.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, prepared)) = &*kept
            && of.is_same(&snapshot)
        {
            return Ok(Arc::clone(prepared));
        }
        let config = RpcConfig::of(&snapshot)?;
        let transport = match &*kept {
            // What the transport is made of is as it was.
            Some((_, before)) if before.config.is_carried_as(&config) => {
                Arc::clone(&before.transport)
            }
            _ => transport(cx, &config),
        };
        let prepared = Arc::new(Self { config, transport });
        *kept = Some((snapshot, Arc::clone(&prepared)));
        Ok(prepared)
    }
}

#[cfg_attr(
    not(feature = "nats"),
    expect(unused_variables, reason = "a broker alone is asked by name")
)]
fn transport(cx: &Context, config: &RpcConfig) -> Arc<dyn Transport> {
    match config.url.engine() {
        Engine::Local => Arc::new(Local::of(config)),
        #[cfg(feature = "nats")]
        Engine::Nats => Arc::new(Nats::new(cx, config)),
    }
}
