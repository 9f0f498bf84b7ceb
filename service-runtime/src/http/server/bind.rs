//! The listeners of a server.

use std::time::Duration;

use anyhow::Context as _;
use socket2::{SockRef, TcpKeepalive};

use crate::http::config::{Bind, HttpConfig, Wrong, file_mode, group_id, limit, user_id};
use crate::http::connection::Purpose;
use crate::listen::{Address, ListenOptions, Listener};
use crate::service::Context;

/// A listener, and what is answered on it.
pub(super) struct Bound {
    pub(super) listener: Listener,
    pub(super) purpose: Purpose,
}

/// Listens on every address of the table, and says so.
pub(super) async fn bind(cx: &Context, config: &HttpConfig) -> anyhow::Result<Vec<Bound>> {
    let files = SocketFiles::of(config).map_err(|wrong| wrong.of(cx))?;
    let routes = config.bind.addresses();
    if routes.is_empty() {
        let wrong = Wrong::new("bind", "expected at least one address, found none");
        return Err(wrong.of(cx).into());
    }
    let health = config.health_bind.as_ref();
    let health = health.map_or(&[][..], Bind::addresses);
    let both = if health.is_empty() && config.health {
        Purpose::Both
    } else {
        Purpose::Routes
    };
    let all = routes.iter().map(|address| (address, both));
    let all = all.chain(health.iter().map(|address| (address, Purpose::Health)));
    let mut bound = Vec::new();
    for (address, purpose) in all {
        let options = ListenOptions::try_from(address.as_str())?
            .backlog(config.backlog)
            .reuse_port(config.reuse_port);
        let listener = cx.listen_with(files.add_to(options)).await?;
        let at = listener.local_addr()?;
        if matches!(at, Address::Tcp(_)) {
            prepare(&listener, config).with_context(|| format!("cannot listen on {at}"))?;
        }
        match purpose {
            Purpose::Health => tracing::info!(service = cx.name(), "health is told on {at}"),
            _ => tracing::info!(service = cx.name(), "listening on {at}"),
        }
        bound.push(Bound { listener, purpose });
    }
    Ok(bound)
}

/// What the files of unix sockets are to be like.
struct SocketFiles {
    mode: Option<u32>,
    user: Option<u32>,
    group: Option<u32>,
}

impl SocketFiles {
    fn of(config: &HttpConfig) -> Result<Self, Wrong> {
        let read = |key, text: &Option<String>, read: fn(&str) -> Result<u32, String>| {
            let value = text.as_deref().map(read).transpose();
            value.map_err(|text| Wrong::new(key, text))
        };
        Ok(Self {
            mode: read("socket_mode", &config.socket_mode, file_mode)?,
            user: read("socket_owner", &config.socket_owner, user_id)?,
            group: read("socket_group", &config.socket_group, group_id)?,
        })
    }

    fn add_to(&self, options: ListenOptions) -> ListenOptions {
        let options = match self.mode {
            Some(mode) => options.mode(mode),
            None => options,
        };
        options.owner(self.user, self.group)
    }
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
