//! The key `rpc.url`: what carries calls, and where that is.

use std::fmt;

use serde::Deserialize;

use crate::near;

/// What carries calls: `local:`, or a broker such as `nats://host:4222`; several of one cluster stand
/// with commas between them.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct RpcUrl {
    engine: Engine,
    text: String,
}

/// What carries calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    /// Unix sockets of this machine.
    Local,
    /// A broker of NATS.
    #[cfg(feature = "nats")]
    Nats,
}

/// The schemes, those first that every program knows.
const SCHEMES: [&str; 3] = ["local", "nats", "tls"];

/// Why a text is no such URL. It is not repeated: there may be a password in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RpcUrlError {
    /// Nothing carries calls by this name.
    #[error("`{scheme}:` carries no calls{hint}")]
    Scheme {
        /// What stands in front of the colon.
        scheme: String,
        /// What may have been meant.
        hint: String,
    },
    /// The program was built without what carries these.
    #[error(
        "this program cannot use `{scheme}:`: the feature `{feature}` of service-runtime is not built in"
    )]
    NotBuilt {
        /// What stands in front of the colon.
        scheme: &'static str,
        /// The feature that is missing.
        feature: &'static str,
    },
    /// It holds a user or a password.
    #[error(
        "a user and a password would be shown with the URL: they belong in `rpc.user` and `rpc.password`"
    )]
    Credentials,
    /// It names no broker.
    #[error("broker {number} has no address of the form `host` or `host:port`")]
    Broker {
        /// Which one of the list, from 1.
        number: usize,
    },
}

impl RpcUrl {
    pub(super) fn engine(&self) -> Engine {
        self.engine
    }

    /// Returns the brokers, each with its scheme.
    #[cfg(feature = "nats")]
    pub(super) fn brokers(&self) -> impl Iterator<Item = String> {
        let (scheme, rest) = self.text.split_once("://").unwrap_or(("", ""));
        rest.split(',').map(move |broker| {
            let broker = broker.trim();
            let broker = broker
                .split_once("://")
                .map_or(broker, |(_, broker)| broker);
            format!("{scheme}://{}", broker.trim_end_matches('/'))
        })
    }
}

impl TryFrom<String> for RpcUrl {
    type Error = RpcUrlError;

    fn try_from(text: String) -> Result<Self, RpcUrlError> {
        let (scheme, rest) = text.split_once(':').unwrap_or((&text, ""));
        let engine = match scheme {
            // A path would be another directory, which is a key of its own.
            "local" if rest.is_empty() => Engine::Local,
            "nats" | "tls" => {
                check_brokers(scheme, rest)?;
                nats(scheme)?
            }
            _ => {
                // In front of a colon a password may stand as well.
                let is_word =
                    scheme.len() <= 16 && scheme.bytes().all(|it| it.is_ascii_lowercase());
                let scheme = if is_word { scheme } else { "…" };
                return Err(RpcUrlError::Scheme {
                    scheme: scheme.to_owned(),
                    hint: near::hint(scheme, SCHEMES),
                });
            }
        };
        Ok(Self { engine, text })
    }
}

#[cfg(feature = "nats")]
fn nats(_scheme: &str) -> Result<Engine, RpcUrlError> {
    Ok(Engine::Nats)
}

#[cfg(not(feature = "nats"))]
fn nats(scheme: &str) -> Result<Engine, RpcUrlError> {
    let scheme = if scheme == "tls" { "tls" } else { "nats" };
    Err(RpcUrlError::NotBuilt {
        scheme,
        feature: "nats",
    })
}

fn check_brokers(scheme: &str, rest: &str) -> Result<(), RpcUrlError> {
    if rest.contains('@') {
        return Err(RpcUrlError::Credentials);
    }
    let own = format!("{scheme}://");
    let brokers = rest.strip_prefix("//").unwrap_or("").split(',');
    for (at, broker) in brokers.enumerate() {
        let broker = broker.trim();
        let broker = broker.strip_prefix(&own).unwrap_or(broker);
        let broker = broker.strip_suffix('/').unwrap_or(broker);
        if !is_address(broker) {
            return Err(RpcUrlError::Broker { number: at + 1 });
        }
    }
    Ok(())
}

fn is_address(broker: &str) -> bool {
    let (host, port) = match broker.strip_prefix('[').and_then(|it| it.split_once(']')) {
        Some((host, port)) if host.parse::<std::net::Ipv6Addr>().is_ok() => (host, port),
        Some(_) => return false,
        None => broker
            .find(':')
            .map_or((broker, ""), |at| broker.split_at(at)),
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
    let named = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
    !host.is_empty()
        && host.bytes().all(named)
        && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
}

impl fmt::Display for RpcUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for RpcUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<RpcUrl, String> {
        RpcUrl::try_from(text.to_owned()).map_err(|error| error.to_string())
    }

    #[test]
    fn sockets_of_this_machine_need_no_address() {
        assert_eq!(read("local:").unwrap().engine(), Engine::Local);
        assert_eq!(read("local").unwrap().engine(), Engine::Local);
        assert!(read("local:/run").is_err());
    }

    #[test]
    fn a_slip_is_pointed_out_and_nothing_secret_repeated() {
        let error = read("nast://host").unwrap_err();
        assert!(error.contains("did you mean `nats`"), "{error}");
        for url in [
            "nats://me:s3cret@host",
            "s3cret:x",
            "tls://a,b@s3cret",
            "nats://s3cret x",
        ] {
            let error = read(url).unwrap_err();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[cfg(feature = "nats")]
    #[test]
    fn several_brokers_share_a_scheme() {
        let url = read("tls://a:4443, b,tls://[::1]:4222/").unwrap();
        let brokers: Vec<_> = url.brokers().collect();
        assert_eq!(brokers, ["tls://a:4443", "tls://b", "tls://[::1]:4222"]);
        for (url, number) in [
            ("nats://", 1),
            ("nats:", 1),
            ("nats://a,:4222", 2),
            ("nats://a:0", 1),
            ("nats://a:99999", 1),
        ] {
            let error = RpcUrl::try_from(url.to_owned()).unwrap_err();
            assert_eq!(error, RpcUrlError::Broker { number }, "{url}");
        }
    }

    #[cfg(not(feature = "nats"))]
    #[test]
    fn what_is_not_built_in_is_named() {
        let error = read("nats://host").unwrap_err();
        assert!(error.contains("the feature `nats`"), "{error}");
    }
}
