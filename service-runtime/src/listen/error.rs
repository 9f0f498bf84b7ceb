//! What can go wrong before the first connection, and who can put it right.

use std::io;

use nix::errno::Errno;

use super::{Address, AddressError};

/// Why the program cannot listen on an address.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// The operating system refused.
    #[error("cannot listen on {address}{advice}")]
    Os {
        /// The address.
        address: Address,
        /// Who to ask, from `: ` on; empty where nothing is known.
        advice: String,
        /// The system's reason.
        source: io::Error,
    },
    /// A host name came to the holder, which asks no name server.
    #[error("cannot listen on {address}: the host name was not resolved before")]
    Unresolved {
        /// The address.
        address: Address,
    },
    /// A file that is no socket stands where the socket's file should be.
    #[error(
        "cannot listen on {address}: a file stands there that is no socket, and was left alone"
    )]
    NotASocket {
        /// The address.
        address: Address,
    },
    /// The permissions are more than nine bits.
    #[error("cannot listen on {address}: `0o{mode:o}` is no file mode; write one up to `0o777`")]
    Mode {
        /// The address.
        address: Address,
        /// The permissions asked for.
        mode: u32,
    },
    /// systemd passed no socket of this name.
    #[error("cannot listen on {address}: {}", passed_names(passed))]
    NotPassed {
        /// The address.
        address: Address,
        /// The names of the sockets that were passed.
        passed: Vec<String>,
    },
    /// systemd passed several sockets of this name.
    #[error(
        "cannot listen on {address}: systemd passed several sockets of this name ({}); \
         write the address of one, or give each a `FileDescriptorName=`",
        passed.join(", ")
    )]
    Ambiguous {
        /// The address.
        address: Address,
        /// The addresses of the sockets of that name.
        passed: Vec<String>,
    },
    /// What was passed is not a stream socket that listens.
    #[error("cannot listen on {address}: what was passed is no listening stream socket")]
    NotListening {
        /// The address.
        address: Address,
    },
}

impl BindError {
    /// Adds to the system's refusal who can help.
    pub(super) fn os(address: &Address, source: io::Error) -> Self {
        let advice = match source.raw_os_error().map(Errno::from_raw) {
            Some(errno) => advice(address, errno),
            None => String::new(),
        };
        Self::Os {
            address: address.clone(),
            advice,
            source,
        }
    }

    /// Says that another listener of this same program is in the way.
    pub(super) fn held(address: &Address, by: &Address, source: io::Error) -> Self {
        let advice = if address == by {
            ": this program listens there already, and only its restart changes `reuse_port`"
                .to_owned()
        } else {
            format!(": this program already listens on {by}")
        };
        Self::Os {
            address: address.clone(),
            advice,
            source,
        }
    }
}

/// Why a line of listen options cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OptionsError {
    /// The line has another form.
    #[error("`{0}` are no listen options")]
    Malformed(String),
    /// The address is wrong.
    #[error(transparent)]
    Address(#[from] AddressError),
}

fn advice(address: &Address, errno: Errno) -> String {
    match (errno, address) {
        (Errno::EADDRINUSE, Address::Unix(_) | Address::Abstract(_)) => {
            ": another process listens there, `ss -lxp` shows it".to_owned()
        }
        (Errno::EADDRINUSE, _) => ": another process listens there, `ss -ltnp` shows it".to_owned(),
        (Errno::EACCES, Address::Tcp(_) | Address::Any(_)) => {
            ": a port below 1024 wants the capability CAP_NET_BIND_SERVICE or a socket from systemd"
                .to_owned()
        }
        (Errno::EACCES | Errno::EPERM | Errno::EROFS, Address::Unix(path)) => {
            format!(": this user may not make a file in {}", parent(path))
        }
        (Errno::ENOENT | Errno::ENOTDIR, Address::Unix(path)) => format!(
            ": {} is no directory, create it or let systemd do so (`RuntimeDirectory=`)",
            parent(path)
        ),
        (Errno::EADDRNOTAVAIL, _) => {
            ": no network interface of this machine has that address, `ip address` shows them"
                .to_owned()
        }
        (Errno::EAFNOSUPPORT, _) => ": this machine does not have that protocol".to_owned(),
        (Errno::EMFILE | Errno::ENFILE, _) => {
            ": too many files are open, raise the limit (`ulimit -n`, `LimitNOFILE=`)".to_owned()
        }
        _ => String::new(),
    }
}

fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) => "/",
        Some((parent, _)) => parent,
        None => ".",
    }
}

fn passed_names(passed: &[String]) -> String {
    if passed.is_empty() {
        return "systemd passed no socket; is the program started by its .socket unit?".to_owned();
    }
    format!(
        "systemd passed no socket of this name, but {}",
        passed.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(address: &str, errno: Errno) -> String {
        BindError::os(&address.parse().unwrap(), errno.into()).to_string()
    }

    #[test]
    fn an_error_names_the_address_and_who_to_ask() {
        for (address, errno, words) in [
            ("127.0.0.1:80", Errno::EADDRINUSE, "`ss -ltnp`"),
            ("unix:@app", Errno::EADDRINUSE, "`ss -lxp`"),
            ("*:80", Errno::EACCES, "CAP_NET_BIND_SERVICE"),
            ("10.9.9.9:80", Errno::EADDRNOTAVAIL, "`ip address`"),
            (
                "unix:/nowhere/app.sock",
                Errno::ENOENT,
                "/nowhere is no directory",
            ),
            ("unix:/app.sock", Errno::EACCES, "a file in /"),
        ] {
            let error = said(address, errno);
            assert!(
                error.starts_with(&format!("cannot listen on {address}: ")),
                "{error}"
            );
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn the_reason_of_the_system_is_the_source() {
        let error = BindError::os(&Address::Any(80), Errno::EADDRINUSE.into());
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("os error 98"), "{source}");
    }
}
