//! The table `[rpc]`: how the services of a program call and are called.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::url::{Engine, RpcUrl};
use crate::config::{Config, Section, Size, Snapshot};
use crate::service::registry::Table;

/// The name of the table.
const TABLE: &str = "rpc";
/// Bounds of how long a ping may take.
const SHORTEST_PING: Duration = Duration::from_secs(1);
const LONGEST_PING: Duration = Duration::from_secs(10);

/// How the services of a program call others and are called: the table `[rpc]`.
#[derive(Clone, PartialEq, Deserialize, Config)]
pub struct RpcConfig {
    /// What carries the calls: `local:` for unix sockets of this machine, or brokers such as
    /// `nats://one:4222,two:4222`.
    #[config(default = "local:")]
    pub url: RpcUrl,
    /// Who this program is to a broker.
    pub user: Option<String>,
    /// What it says of that: the password of `user`, or without one a token.
    #[config(secret)]
    pub password: Option<String>,
    /// The certificates in PEM that a broker's is checked against, instead of the system's.
    pub ca: Option<PathBuf>,
    /// The certificate in PEM by which this program shows a broker who it is; `key` belongs to it.
    pub cert: Option<PathBuf>,
    /// The key of `cert`, in PEM.
    pub key: Option<PathBuf>,
    /// For how long nothing may be heard of a call that a server has: its worker is lost then. A broker does
    /// not tell; the sockets of this machine do, without waiting.
    #[config(default = "10s", range = "100ms"..)]
    pub monitor: Duration,
    /// The directory in which the programs of this machine meet, of mode 0700; by default `rpc` in
    /// `$XDG_RUNTIME_DIR`, or `/run/rpc` for the superuser, or one of the user's own in `/tmp`.
    pub directory: Option<PathBuf>,
    /// The space of names in which topics are.
    #[config(default = "openstack")]
    pub exchange: String,
    /// The name of this server, by which a call can name it; by default the host name.
    pub host: Option<String>,
    /// How many calls a worker handles at a time; further ones wait in the accept queue.
    #[config(default = 64)]
    pub slots: NonZeroUsize,
    /// How long a caller waits for an answer, unless it says otherwise.
    #[config(default = "60s")]
    pub timeout: Duration,
    /// The largest message, of a request and of an answer.
    #[config(default = "16MiB")]
    pub max_message: Size,
    /// How often a worker pings its own address, to find out whether calls reach it.
    #[config(default = "10s")]
    pub ping_interval: Duration,
    /// Whether a worker that calls do not reach is not ready.
    #[config(default = true)]
    pub required: bool,
    /// From when on a call that was handled is logged as slow; 0 for never.
    #[config(default = "5s")]
    pub slow_call: Duration,
}

inventory::submit! {
    Table(|| Section::of::<RpcConfig>(TABLE).of_framework().doc("Calls between services."))
}

impl RpcConfig {
    /// Reads the table.
    pub(super) fn of(snapshot: &Snapshot) -> anyhow::Result<Self> {
        Ok(snapshot.section(TABLE)?)
    }

    /// Returns whether the same transport serves another state of the table.
    pub(super) fn is_carried_as(&self, other: &Self) -> bool {
        self.carrier() == other.carrier()
    }

    /// What a transport is made of.
    fn carrier(&self) -> impl PartialEq {
        let certificates = (&self.ca, &self.cert, &self.key);
        let identity = (&self.user, &self.password, certificates);
        (&self.url, &self.directory, self.monitor, identity)
    }

    /// Returns whether calls go over the sockets of this machine.
    pub(super) fn is_local(&self) -> bool {
        self.url.engine() == Engine::Local
    }

    /// Returns how long a ping may take.
    pub(super) fn ping_timeout(&self) -> Duration {
        self.ping_interval.clamp(SHORTEST_PING, LONGEST_PING)
    }

    /// Returns the name of this server.
    pub(super) fn server(&self) -> anyhow::Result<String> {
        if let Some(host) = &self.host {
            return Ok(host.clone());
        }
        let host = nix::unistd::gethostname();
        let host = host.map_err(|error| {
            anyhow::Error::new(error).context("cannot read the host name, set `rpc.host`")
        })?;
        Ok(host.to_string_lossy().into_owned())
    }

    /// Returns the largest message in bytes.
    pub(super) fn limit(&self) -> usize {
        usize::try_from(self.max_message.bytes()).unwrap_or(usize::MAX)
    }
}

impl std::fmt::Debug for RpcConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RpcConfig")
            .field("url", &self.url)
            .field("exchange", &self.exchange)
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}
