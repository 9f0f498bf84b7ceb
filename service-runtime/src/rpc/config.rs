//! The table `[rpc]`: how the services of a program call and are called.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::config::{Config, Section, Size};
use crate::service::Context;
use crate::service::registry::Table;

/// The name of the table.
const TABLE: &str = "rpc";

/// How the services of a program call others and are called: the table `[rpc]`.
#[derive(Debug, Clone, PartialEq, Deserialize, Config)]
pub struct RpcConfig {
    /// What carries the calls: `local:` for unix sockets of this machine.
    #[config(default = "local:")]
    pub url: String,
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
}

inventory::submit! {
    Table(|| Section::of::<RpcConfig>(TABLE).doc("Calls between services."))
}

impl RpcConfig {
    /// Reads the table.
    pub(super) fn of(cx: &Context) -> anyhow::Result<Self> {
        let config: Self = cx.snapshot().section(TABLE)?;
        anyhow::ensure!(
            config.url == "local:",
            "`rpc.url` cannot be `{}`: this program knows `local:` alone",
            config.url
        );
        Ok(config)
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
