//! Where the programs of a test meet.

use std::cell::Cell;
use std::path::PathBuf;

use tests::harness::Scratch;

use super::broker::Broker;

/// Where no server dies, a slow machine must not look like a death.
const LONG: &str = "60s";

/// A directory of sockets, or a broker of the test's own.
pub(crate) struct Place {
    scratch: Scratch,
    pub(crate) broker: Option<Broker>,
    /// How long a broker's callers hear nothing of a server before it counts as dead.
    monitor: Cell<&'static str>,
}

impl Place {
    pub(crate) fn local() -> Self {
        Self {
            scratch: Scratch::new(),
            broker: None,
            monitor: Cell::new(LONG),
        }
    }

    /// `None` if there is no server of NATS on this machine.
    pub(crate) fn nats() -> Option<Self> {
        let scratch = Scratch::new();
        let broker = Broker::start(&scratch)?;
        Some(Self {
            scratch,
            broker: Some(broker),
            monitor: Cell::new(LONG),
        })
    }

    /// Has the programs to come notice a death soon.
    pub(crate) fn notice_deaths(&self) {
        self.monitor.set("1s");
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.scratch.path(name)
    }

    /// The keys by which a program finds it.
    pub(crate) fn keys(&self) -> Vec<String> {
        match &self.broker {
            Some(broker) => vec![
                format!("rpc.url={}", broker.url()),
                format!("rpc.monitor={}", self.monitor.get()),
            ],
            None => vec![format!("rpc.directory={}", self.path("rpc").display())],
        }
    }
}
