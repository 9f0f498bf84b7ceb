//! An upgrade: a new process of the program takes over from the one that runs.
//!
//! The old supervisor starts the program file anew and sends the new process what it listens on. The
//! new one starts its workers on the same sockets, and says that they are ready or why they never
//! will be. Only then does the old one leave the field: it tells the service manager who speaks for
//! the program now, and stops.
//!
//! The two may be of different versions, so what they say is told apart by the number in the
//! variable that names the channel, and words that one of them does not know are ignored.

#[cfg(target_os = "linux")]
pub(crate) mod kept_sockets;
mod predecessor;
pub(crate) mod takeover;

use std::os::fd::OwnedFd;

pub(crate) use predecessor::{Granted, Predecessor};

use crate::ipc::protocol::{SEPARATOR, join};

/// The variable that tells a new process of its predecessor: the version of the protocol, and the
/// descriptor of the channel.
pub(crate) const VARIABLE: &str = "SERVICE_RUNTIME_UPGRADE";

/// The version of the protocol.
pub(crate) const VERSION: &str = "1";

/// From the old process to the new one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ToSuccessor {
    /// A socket comes with this message.
    Socket {
        /// The name under which the service manager passed it, if it did.
        name: Option<String>,
        /// The address that was asked for.
        address: String,
        /// The slot whose own it is.
        slot: Option<usize>,
    },
    /// The locked pid file comes with this message.
    PidFile,
    /// Everything was sent.
    End,
    /// The field is yours.
    Go {
        /// A reload was asked for meanwhile.
        reload: bool,
    },
}

/// From the new process to the old one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ToPredecessor {
    /// Every service is ready.
    Ready,
    /// They never will be, and why.
    Failed(String),
}

impl ToSuccessor {
    /// Writes the message.
    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Socket {
                name,
                address,
                slot,
            } => {
                let slot = slot.map(|slot| slot.to_string()).unwrap_or_default();
                let (passed, name) = match name {
                    Some(name) => ("passed", name.as_str()),
                    None => ("bound", ""),
                };
                join(&["socket", passed, name, address, &slot])
            }
            Self::PidFile => join(&["pid_file"]),
            Self::End => join(&["end"]),
            Self::Go { reload } => join(&["go", &reload.to_string()]),
        }
    }

    /// Reads a message, or `None` if it is none that this version knows.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let text = str::from_utf8(bytes).ok()?;
        let fields: Vec<&str> = text.split(SEPARATOR).collect();
        Some(match *fields.as_slice() {
            ["socket", passed, name, address, slot] => Self::Socket {
                name: (passed == "passed").then(|| name.to_owned()),
                address: address.to_owned(),
                slot: if slot.is_empty() {
                    None
                } else {
                    Some(slot.parse().ok()?)
                },
            },
            ["pid_file"] => Self::PidFile,
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
            Self::Ready => join(&["ready"]),
            Self::Failed(text) => join(&["failed", text]),
        }
    }

    /// Reads a message, or `None` if it is none that this version knows.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let text = str::from_utf8(bytes).ok()?;
        let fields: Vec<&str> = text.split(SEPARATOR).collect();
        Some(match *fields.as_slice() {
            ["ready"] => Self::Ready,
            ["failed", text] => Self::Failed(text.to_owned()),
            _ => return None,
        })
    }
}

/// What a predecessor leaves.
#[derive(Debug, Default)]
pub(crate) struct InheritedState {
    /// The locked pid file.
    pub(crate) pid_file: Option<OwnedFd>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_arrives() {
        let socket = |name: Option<&str>, slot| ToSuccessor::Socket {
            name: name.map(str::to_owned),
            address: "unix:/run/a b.sock".to_owned(),
            slot,
        };
        for message in [
            socket(None, None),
            socket(Some("web"), None),
            socket(Some(""), Some(3)),
            ToSuccessor::PidFile,
            ToSuccessor::End,
            ToSuccessor::Go { reload: true },
        ] {
            assert_eq!(ToSuccessor::decode(&message.encode()), Some(message));
        }
        for message in [
            ToPredecessor::Ready,
            ToPredecessor::Failed("no\nway".to_owned()),
        ] {
            assert_eq!(ToPredecessor::decode(&message.encode()), Some(message));
        }
    }

    #[test]
    fn words_of_another_version_are_ignored() {
        assert_eq!(ToSuccessor::decode(b"farewell"), None);
        assert_eq!(ToPredecessor::decode(b"\xff"), None);
    }
}
