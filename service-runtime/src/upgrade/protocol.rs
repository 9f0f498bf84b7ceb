//! What an old and a new process of a program say to each other.

use crate::ipc::protocol::{SEPARATOR, join};

/// The variable that tells a new process of its predecessor: the version of the protocol, and the
/// descriptor of the channel.
pub(crate) const VARIABLE: &str = "SERVICE_RUNTIME_UPGRADE";

/// The version of the protocol that this program speaks to its successor.
pub(crate) const VERSION: &str = "2";

/// The version before: one socket a message, and nothing said of the pid file.
pub(crate) const FIRST_VERSION: &str = "1";

/// How many sockets come with one message: as many as their names and addresses have room in it.
pub(crate) const SOCKETS_A_MESSAGE: usize = 32;

/// A socket that comes with a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PassedSocket {
    /// The name under which the service manager passed it, if it did.
    pub(crate) name: Option<String>,
    /// The address that was asked for.
    pub(crate) address: String,
    /// The slot whose own it is.
    pub(crate) slot: Option<usize>,
}

/// From the old process to the new one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ToSuccessor {
    /// Sockets come with this message, in this order.
    Sockets(Vec<PassedSocket>),
    /// The locked pid file comes with this message.
    PidFile,
    /// The arenas of all metrics come with this message, which look as this version of their layout says.
    Metrics {
        /// The version of the layout.
        layout: String,
    },
    /// Everything was sent.
    End,
    /// The new process speaks for the program from now on.
    Go {
        /// A reload was asked for meanwhile.
        reload: bool,
    },
}

/// From the new process to the old one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ToPredecessor {
    /// Every service is ready.
    Ready {
        /// Whether the pid file that was handed over is the new process's own.
        keeps_pid_file: bool,
    },
    /// They never will be, and why.
    Failed(String),
}

/// Said behind "ready" by a process whose pid file is another, or that has none.
const OTHER_PID_FILE: &str = "other_pid_file";

impl PassedSocket {
    fn fields(&self) -> [String; 4] {
        let (passed, name) = match &self.name {
            Some(name) => ("passed", name.as_str()),
            None => ("bound", ""),
        };
        let slot = self.slot.map(|slot| slot.to_string()).unwrap_or_default();
        [
            passed.to_owned(),
            name.to_owned(),
            self.address.clone(),
            slot,
        ]
    }

    fn of([passed, name, address, slot]: [&str; 4]) -> Option<Self> {
        Some(Self {
            name: (passed == "passed").then(|| name.to_owned()),
            address: address.to_owned(),
            slot: match slot {
                "" => None,
                slot => Some(slot.parse().ok()?),
            },
        })
    }
}

impl ToSuccessor {
    /// Writes the message.
    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Sockets(sockets) => {
                let fields: Vec<_> = sockets.iter().flat_map(PassedSocket::fields).collect();
                let fields = fields.iter().map(String::as_str);
                join(&std::iter::once("sockets").chain(fields).collect::<Vec<_>>())
            }
            Self::PidFile => join(&["pid_file"]),
            Self::Metrics { layout } => join(&["metrics", layout]),
            Self::End => join(&["end"]),
            Self::Go { reload } => join(&["go", &reload.to_string()]),
        }
    }

    /// Reads a message, or `None` if it is none that this version knows.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let text = str::from_utf8(bytes).ok()?;
        let fields: Vec<&str> = text.split(SEPARATOR).collect();
        Some(match *fields.as_slice() {
            // As the first version writes it.
            ["socket", passed, name, address, slot] => {
                Self::Sockets(vec![PassedSocket::of([passed, name, address, slot])?])
            }
            ["sockets", ref sockets @ ..] => {
                let (sockets, rest) = sockets.as_chunks();
                if !rest.is_empty() {
                    return None;
                }
                let sockets = sockets.iter().copied().map(PassedSocket::of);
                Self::Sockets(sockets.collect::<Option<_>>()?)
            }
            ["pid_file"] => Self::PidFile,
            ["metrics", layout] => Self::Metrics {
                layout: layout.to_owned(),
            },
            ["end"] => Self::End,
            ["go", reload] => Self::Go {
                reload: reload == "true",
            },
            _ => return None,
        })
    }
}

impl ToPredecessor {
    /// Writes the message.
    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Ready {
                keeps_pid_file: true,
            } => join(&["ready"]),
            Self::Ready {
                keeps_pid_file: false,
            } => join(&["ready", OTHER_PID_FILE]),
            Self::Failed(text) => join(&["failed", text]),
        }
    }

    /// Reads a message, or `None` if it is none that this version knows.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let text = str::from_utf8(bytes).ok()?;
        let fields: Vec<&str> = text.split(SEPARATOR).collect();
        Some(match *fields.as_slice() {
            ["ready"] => Self::Ready {
                keeps_pid_file: true,
            },
            ["ready", OTHER_PID_FILE] => Self::Ready {
                keeps_pid_file: false,
            },
            ["failed", text] => Self::Failed(text.to_owned()),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_arrives() {
        let socket = |name: Option<&str>, slot| PassedSocket {
            name: name.map(str::to_owned),
            address: "unix:/run/a b.sock".to_owned(),
            slot,
        };
        for message in [
            ToSuccessor::Sockets(vec![socket(None, None)]),
            ToSuccessor::Sockets(vec![socket(Some("web"), None), socket(Some(""), Some(3))]),
            ToSuccessor::Sockets(Vec::new()),
            ToSuccessor::PidFile,
            ToSuccessor::Metrics {
                layout: "2".to_owned(),
            },
            ToSuccessor::End,
            ToSuccessor::Go { reload: true },
        ] {
            assert_eq!(ToSuccessor::decode(&message.encode()), Some(message));
        }
        for message in [
            ToPredecessor::Ready {
                keeps_pid_file: true,
            },
            ToPredecessor::Ready {
                keeps_pid_file: false,
            },
            ToPredecessor::Failed("no\nway".to_owned()),
        ] {
            assert_eq!(ToPredecessor::decode(&message.encode()), Some(message));
        }
    }

    #[test]
    fn a_socket_of_the_first_version_is_read() {
        let message = ["socket", "bound", "", "127.0.0.1:80", "1"].join("\u{1f}");
        let socket = PassedSocket {
            name: None,
            address: "127.0.0.1:80".to_owned(),
            slot: Some(1),
        };
        assert_eq!(
            ToSuccessor::decode(message.as_bytes()),
            Some(ToSuccessor::Sockets(vec![socket]))
        );
    }

    #[test]
    fn words_of_another_version_are_ignored() {
        assert_eq!(ToSuccessor::decode(b"farewell"), None);
        assert_eq!(ToPredecessor::decode(b"\xff"), None);
    }
}
