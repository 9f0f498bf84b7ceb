//! Where to listen, as people write it.
//!
//! Every value that was parsed is shown in a form that parses to the same value again.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// The longest path or abstract name of a unix socket, in bytes.
const UNIX_NAME_MAX: usize = 107;
/// The longest name that systemd gives to a socket, in bytes.
const SYSTEMD_NAME_MAX: usize = 255;
/// The longest part of a host name between two dots, in bytes.
const HOST_LABEL_MAX: usize = 63;
/// The longest host name, in bytes.
const HOST_NAME_MAX: usize = 253;

/// Says where to listen.
///
/// | text | meaning |
/// | --- | --- |
/// | `127.0.0.1:7007`, `[::1]:80` | that address and port; port 0 lets the system choose one |
/// | `*:8080`, `:8080` | every address of the machine, IPv4 and IPv6 |
/// | `localhost:80` | a host name, to be resolved by [`resolve`](Self::resolve) |
/// | `unix:/run/app.sock`, `unix:@name` | a unix stream socket: a file, or an abstract name |
/// | `systemd:name` | a socket that systemd passed, by its `FileDescriptorName=` |
///
/// # Examples
///
/// ```
/// use service_runtime::listen::Address;
///
/// let address: Address = ":8080".parse()?;
/// assert_eq!(address, Address::Any(8080));
/// assert_eq!(address.to_string(), "*:8080");
/// # Ok::<(), service_runtime::listen::AddressError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// An IP address and a port.
    Tcp(SocketAddr),
    /// A port on every address of the machine, IPv4 and IPv6.
    Any(u16),
    /// A host name and a port, not resolved yet.
    Host(String, u16),
    /// The path of a unix stream socket.
    Unix(String),
    /// The name of an abstract unix stream socket, without the `@`.
    Abstract(String),
    /// The name of a socket that systemd passed.
    Systemd(String),
}

impl Address {
    /// Returns the IP address and port if this is one.
    #[must_use]
    pub fn tcp(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) => Some(*address),
            _ => None,
        }
    }

    /// Returns the port, where there is one.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        match self {
            Self::Tcp(address) => Some(address.port()),
            Self::Any(port) | Self::Host(_, port) => Some(*port),
            Self::Unix(_) | Self::Abstract(_) | Self::Systemd(_) => None,
        }
    }
}

/// Why a text is not an address to listen on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not an address to listen on: {reason}; write `127.0.0.1:80`, `[::1]:80`, `*:80`, \
     `localhost:80`, `unix:/path`, `unix:@name` or `systemd:name`"
)]
pub struct AddressError {
    text: String,
    reason: String,
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        parse(text).map_err(|reason| AddressError {
            text: text.escape_debug().to_string(),
            reason,
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Any(port) => write!(f, "*:{port}"),
            Self::Host(name, port) => write!(f, "{name}:{port}"),
            Self::Unix(path) => write!(f, "unix:{path}"),
            Self::Abstract(name) => write!(f, "unix:@{name}"),
            Self::Systemd(name) => write!(f, "systemd:{name}"),
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address)
    }
}

fn parse(text: &str) -> Result<Address, String> {
    if let Some(rest) = text.strip_prefix("unix:") {
        return parse_unix(rest);
    }
    if let Some(name) = text.strip_prefix("systemd:") {
        return parse_systemd(name);
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Ok(Address::Tcp(address));
    }
    let Some((host, port)) = text.rsplit_once(':') else {
        return Err("there is no port".to_owned());
    };
    if host.parse::<Ipv6Addr>().is_ok() || text.parse::<Ipv6Addr>().is_ok() {
        return Err("an IPv6 address stands in brackets".to_owned());
    }
    let port = parse_port(port)?;
    if host.is_empty() || host == "*" {
        return Ok(Address::Any(port));
    }
    check_host(host)?;
    Ok(Address::Host(host.to_owned(), port))
}

fn parse_port(port: &str) -> Result<u16, String> {
    // `u16` would take a leading plus sign.
    if port.bytes().all(|byte| byte.is_ascii_digit())
        && let Ok(port) = port.parse()
    {
        return Ok(port);
    }
    Err(format!("`{port}` is not a port from 0 to 65535"))
}

fn check_host(host: &str) -> Result<(), String> {
    let label = |label: &str| {
        (1..=HOST_LABEL_MAX).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let name = host.strip_suffix('.').unwrap_or(host);
    if name.len() > HOST_NAME_MAX || !name.split('.').all(label) {
        return Err(format!("`{host}` is neither an IP address nor a host name"));
    }
    // No host name ends in a number, so this was meant to be an IPv4 address.
    let last = name.rsplit('.').next().unwrap_or(name);
    if last.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("`{host}` is not an IPv4 address"));
    }
    Ok(())
}

fn parse_unix(rest: &str) -> Result<Address, String> {
    let (name, address): (&str, fn(String) -> Address) = match rest.strip_prefix('@') {
        Some(name) => (name, Address::Abstract),
        None => (rest, Address::Unix),
    };
    if name.is_empty() {
        return Err("the name of the socket is empty".to_owned());
    }
    if name.len() > UNIX_NAME_MAX {
        return Err(format!(
            "the name of the socket has {} bytes, and no more than {UNIX_NAME_MAX} fit",
            name.len()
        ));
    }
    if name.contains('\0') {
        return Err("the name of the socket has a zero byte".to_owned());
    }
    Ok(address(name.to_owned()))
}

fn parse_systemd(name: &str) -> Result<Address, String> {
    let allowed = |byte: u8| matches!(byte, b' '..=b'~') && byte != b':';
    if name.is_empty() || name.len() > SYSTEMD_NAME_MAX || !name.bytes().all(allowed) {
        return Err(format!(
            "systemd names a socket with 1 to {SYSTEMD_NAME_MAX} printable ASCII characters and no colon"
        ));
    }
    Ok(Address::Systemd(name.to_owned()))
}

/// Tells whether an address is one machine-wide address of either family.
pub(super) fn is_any(address: SocketAddr) -> bool {
    match address {
        SocketAddr::V4(v4) => *v4.ip() == Ipv4Addr::UNSPECIFIED,
        SocketAddr::V6(v6) => *v6.ip() == Ipv6Addr::UNSPECIFIED,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Address {
        text.parse().unwrap()
    }

    fn refused(text: &str) -> String {
        text.parse::<Address>().unwrap_err().to_string()
    }

    #[test]
    fn every_documented_form_is_understood() {
        let v4 = SocketAddr::from((Ipv4Addr::LOCALHOST, 7007));
        let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, 80));
        assert_eq!(parsed("127.0.0.1:7007"), Address::Tcp(v4));
        assert_eq!(parsed("[::1]:80"), Address::Tcp(v6));
        assert_eq!(parsed(":8080"), Address::Any(8080));
        assert_eq!(parsed("*:8080"), Address::Any(8080));
        assert_eq!(
            parsed("localhost:80"),
            Address::Host("localhost".into(), 80)
        );
        assert_eq!(
            parsed("unix:/run/a b.sock"),
            Address::Unix("/run/a b.sock".into())
        );
        assert_eq!(parsed("unix:@app"), Address::Abstract("app".into()));
        assert_eq!(parsed("systemd:web"), Address::Systemd("web".into()));
    }

    #[test]
    fn an_error_names_the_text_the_reason_and_the_accepted_forms() {
        let error = refused("8080");
        assert!(error.starts_with("`8080` is not an address to listen on: there is no port;"));
        for form in [
            "`127.0.0.1:80`",
            "`[::1]:80`",
            "`*:80`",
            "`unix:/path`",
            "`systemd:name`",
        ] {
            assert!(error.contains(form), "{error}");
        }
    }

    #[test]
    fn near_misses_are_refused_with_their_reason() {
        for (text, reason) in [
            ("", "no port"),
            ("::1:80", "in brackets"),
            ("::1", "in brackets"),
            ("256.1.1.1:80", "`256.1.1.1` is not an IPv4 address"),
            ("127.0.0.1:65536", "`65536` is not a port"),
            ("127.0.0.1:+80", "`+80` is not a port"),
            ("localhost:", "`` is not a port"),
            ("local host:80", "neither an IP address nor a host name"),
            (
                "http://localhost:80",
                "neither an IP address nor a host name",
            ),
            ("a..b:80", "neither an IP address nor a host name"),
            ("unix:", "is empty"),
            ("unix:@", "is empty"),
            ("systemd:", "systemd names a socket"),
            ("systemd:a:b", "systemd names a socket"),
        ] {
            let error = refused(text);
            assert!(error.contains(reason), "{text}: {error}");
        }
        assert!(refused(&format!("unix:/{}", "x".repeat(107))).contains("has 108 bytes"));
    }

    proptest! {
        #[test]
        fn what_is_shown_parses_to_the_same_address(text in prop_oneof![
            any::<SocketAddr>().prop_map(|mut address| {
                if let SocketAddr::V6(v6) = &mut address {
                    v6.set_flowinfo(0);
                }
                address.to_string()
            }),
            any::<u16>().prop_map(|port| format!(":{port}")),
            ("[a-z][a-z0-9-]{0,9}(\\.[a-z]{1,5}){0,3}\\.?", any::<u16>())
                .prop_map(|(host, port)| format!("{host}:{port}")),
            // No `@` alone: a name in the abstract namespace must not be empty.
            "unix:@?[^\0@][^\0]{0,19}",
            "systemd:[ -9;-~]{1,40}",
        ]) {
            let address: Address = text.parse().unwrap();
            prop_assert_eq!(address.to_string().parse::<Address>().unwrap(), address);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in any::<String>()) {
            if let Ok(address) = text.parse::<Address>() {
                prop_assert_eq!(address.to_string().parse::<Address>().unwrap(), address);
            }
        }
    }
}
