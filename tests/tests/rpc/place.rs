//! Where the programs of a test meet.

use std::path::PathBuf;

use tests::harness::Scratch;

use super::broker::Broker;

/// A directory of sockets, or a broker of the test's own.
pub(crate) struct Place {
    scratch: Scratch,
    pub(crate) broker: Option<Broker>,
}

impl Place {
    pub(crate) fn local() -> Self {
        Self {
            scratch: Scratch::new(),
            broker: None,
        }
    }

    /// `None` if there is no server of NATS on this machine.
    pub(crate) fn nats() -> Option<Self> {
        let scratch = Scratch::new();
        let broker = Broker::start(&scratch)?;
        Some(Self {
            scratch,
            broker: Some(broker),
        })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.scratch.path(name)
    }

    /// The keys by which a program finds it.
    pub(crate) fn keys(&self) -> Vec<String> {
        match &self.broker {
            Some(broker) => vec![
                format!("rpc.url={}", broker.url()),
                "rpc.monitor=1s".to_owned(),
            ],
            None => vec![format!("rpc.directory={}", self.path("rpc").display())],
        }
    }
}
