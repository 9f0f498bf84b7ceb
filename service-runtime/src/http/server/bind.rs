//! The listeners of a server.

use std::time::Duration;

use anyhow::Context as _;
use socket2::{SockRef, TcpKeepalive};

use crate::http::config::{HttpConfig, limit};
use crate::listen::{Address, ListenOptions, Listener};
use crate::service::Context;

/// Listens on every address of the table, and says so.
pub(super) async fn bind(cx: &Context, config: &HttpConfig) -> anyhow::Result<Vec<Listener>> {
    let mode = config.socket_mode.as_deref().map(mode).transpose()?;
    let mut listeners = Vec::new();
    for address in config.bind.addresses() {
        let mut options = ListenOptions::try_from(address.as_str())?
            .backlog(config.backlog)
            .reuse_port(config.reuse_port);
        if let Some(mode) = mode {
            options = options.mode(mode);
        }
        let listener = cx.listen_with(options).await?;
        let bound = listener.local_addr()?;
        if matches!(bound, Address::Tcp(_)) {
            prepare(&listener, config).with_context(|| format!("cannot listen on {bound}"))?;
        }
        tracing::info!(service = cx.name(), "listening on {bound}");
        listeners.push(listener);
    }
    Ok(listeners)
}

/// Sets what the accepted sockets inherit.
fn prepare(listener: &Listener, config: &HttpConfig) -> std::io::Result<()> {
    let socket = SockRef::from(listener);
    socket.set_tcp_nodelay(config.nodelay)?;
    match limit(config.tcp_keepidle) {
        None => socket.set_keepalive(false),
        Some(time) => {
            // The kernel counts in seconds.
            let time = time.max(Duration::from_secs(1));
            socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(time))
        }
    }
}

fn mode(text: &str) -> anyhow::Result<u32> {
    u32::from_str_radix(text.trim_start_matches("0o"), 8)
        .with_context(|| format!("`socket_mode` is octal, such as `660`, and not `{text}`"))
}
