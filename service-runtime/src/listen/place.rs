//! Which addresses the kernel does not let two sockets listen on.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Component, PathBuf};

use super::Address;

/// What a listening socket occupies, so that `bind` refuses another one there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A port of one address, or of all of a family.
    Ip(IpAddr, u16),
    /// A port of every address of both families.
    Any(u16),
    /// A port of a host name, whose address is not known before a name server is asked.
    Host(String, u16),
    /// The file of a unix socket.
    File(PathBuf),
    /// A name that only one socket has: an abstract one, or one that systemd has given.
    Name(Address),
}

impl Place {
    /// Returns the place of an address; nothing for port 0, of which each socket gets another one.
    pub(crate) fn of(address: &Address) -> Option<Self> {
        if address.port() == Some(0) {
            return None;
        }
        Some(match address {
            // An address of IPv4 may be written as one of IPv6.
            Address::Tcp(address) => Self::Ip(address.ip().to_canonical(), address.port()),
            Address::Any(port) => Self::Any(*port),
            Address::Host(name, port) => {
                let name = name.trim_end_matches('.').to_ascii_lowercase();
                // It is that without a name server too.
                if name == "localhost" || name.ends_with(".localhost") {
                    Self::Ip(Ipv4Addr::LOCALHOST.into(), *port)
                } else {
                    Self::Host(name, *port)
                }
            }
            Address::Unix(path) => Self::File(plain(path)),
            Address::Abstract(_) | Address::Systemd(_) => Self::Name(address.clone()),
        })
    }

    /// Tells whether two sockets cannot listen at both.
    ///
    /// A host name conflicts with every address of a machine, for it is one of them, and with its own
    /// name; with another address it may.
    pub(crate) fn conflicts(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Ip(one, port), Self::Ip(other, same)) => {
                // `[::]` is listened on for IPv6 alone.
                let family = one.is_ipv4() == other.is_ipv4();
                let all = one.is_unspecified() || other.is_unspecified();
                port == same && (one == other || family && all)
            }
            (Self::Any(port), Self::Ip(_, same) | Self::Any(same) | Self::Host(_, same))
            | (Self::Ip(_, same) | Self::Host(_, same), Self::Any(port)) => port == same,
            (one, other) => one == other,
        }
    }
}

/// Returns an absolute path without `.` and repeated slashes. Links are not followed, for the file may
/// not be there yet.
fn plain(path: &str) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.into());
    let parts = path.components();
    parts.filter(|part| *part != Component::CurDir).collect()
}

#[cfg(test)]
mod tests {
    use super::super::socket::local_address;
    use super::super::tcp::{bind_any, bind_one};
    use super::*;

    fn conflict(one: &str, other: &str) -> bool {
        let place = |text: &str| Place::of(&text.parse().unwrap());
        match (place(one), place(other)) {
            (Some(one), Some(other)) => {
                assert_eq!(one.conflicts(&other), other.conflicts(&one));
                one.conflicts(&other)
            }
            _ => false,
        }
    }

    #[test]
    fn what_bind_refuses_is_a_conflict_and_nothing_else() {
        for (one, other, refused) in [
            ("127.0.0.1:80", "127.0.0.1:80", true),
            ("127.0.0.1:80", "127.0.0.1:81", false),
            ("127.0.0.1:80", "127.0.0.2:80", false),
            ("127.0.0.1:0", "127.0.0.1:0", false),
            ("0.0.0.0:80", "127.0.0.1:80", true),
            ("0.0.0.0:80", "[::1]:80", false),
            ("0.0.0.0:80", "[::]:80", false),
            ("[::]:80", "[::1]:80", true),
            ("[::]:80", "127.0.0.1:80", false),
            ("*:80", "[::]:80", true),
            ("*:80", "127.0.0.1:80", true),
            ("*:80", "[::1]:80", true),
            ("*:80", ":80", true),
            ("*:80", "*:81", false),
            ("[::1]:80", "[0:0::1]:80", true),
            ("[::1]:80", "127.0.0.1:80", false),
            ("[::ffff:127.0.0.1]:80", "127.0.0.1:80", true),
            ("localhost:80", "127.0.0.1:80", true),
            ("LocalHost.:80", "localhost:80", true),
            ("localhost:80", "*:80", true),
            ("localhost:80", "192.0.2.1:80", false),
            ("a.test:80", "A.test:80", true),
            ("a.test:80", "b.test:80", false),
            ("a.test:80", "*:80", true),
            ("unix:/run/a.sock", "unix:/run//./a.sock", true),
            ("unix:/run/a.sock", "unix:/run/b.sock", false),
            ("unix:@a", "unix:@a", true),
            ("unix:@a", "unix:a", false),
            ("systemd:web", "systemd:web", true),
        ] {
            assert_eq!(conflict(one, other), refused, "{one} and {other}");
        }
    }

    /// Listens on an address of this text as services do.
    fn listen(text: &str) -> std::io::Result<std::os::fd::OwnedFd> {
        match text.parse().unwrap() {
            Address::Any(port) => bind_any(port, 1, false),
            Address::Tcp(address) => bind_one(address, 1, false),
            other => panic!("{other} is none of these"),
        }
    }

    #[test]
    fn the_kernel_says_the_same() {
        let all = ["*", "0.0.0.0", "127.0.0.1", "127.0.0.2", "[::]", "[::1]"];
        for one in all {
            // A machine without IPv6 has nothing to say of it.
            let Ok(first) = listen(&format!("{one}:0")) else {
                continue;
            };
            let port = local_address(&first).unwrap().port().unwrap();
            for other in all {
                let (one, other) = (format!("{one}:{port}"), format!("{other}:{port}"));
                let refused = match listen(&other) {
                    Ok(_) => false,
                    Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => true,
                    Err(_) => continue,
                };
                assert_eq!(refused, conflict(&one, &other), "{one} and {other}");
            }
        }
    }
}
