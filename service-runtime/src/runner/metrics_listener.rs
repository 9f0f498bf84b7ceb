//! The listener of a process that answers with metrics.

use std::sync::Arc;

use super::host_backend::HostBackend;
use crate::listen::{Address, ListenOptions};

/// Answers with metrics on a listener of its own.
pub(crate) async fn listen(address: Address, backend: Arc<dyn HostBackend>) {
    let listening = backend.listen_for_process(&ListenOptions::new(address.clone()));
    let fd = match listening.await {
        Ok(fd) => fd,
        Err(error) => {
            tracing::error!("no metrics on {address}: {error}");
            return;
        }
    };
    // A port that the system has chosen is known now.
    let port = socket2::SockRef::from(&fd).local_addr();
    let at = port.ok().and_then(|at| at.as_socket());
    let at = at.map_or_else(|| address.to_string(), |at| at.to_string());
    #[cfg(feature = "metrics")]
    match crate::metrics::listener::serve(fd) {
        Ok(()) => tracing::info!("metrics are told on {at}"),
        Err(error) => tracing::error!("no metrics on {at}: {error}"),
    }
    #[cfg(not(feature = "metrics"))]
    tracing::warn!("no metrics on {at}: this program is built without the feature `metrics`");
}

/// Ends the listener that answers with metrics, if there is one.
pub(crate) fn stop_listening() {
    #[cfg(feature = "metrics")]
    crate::metrics::listener::stop();
}
