//! Host names, resolved in the process that has a runtime, before the holder sees the address.

use std::io;
use std::time::Duration;

use super::Address;

/// How long a name server may take.
const LIMIT: Duration = Duration::from_secs(30);

/// Why a host name could not be resolved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// The resolver refused.
    #[error("cannot resolve the host name `{name}`")]
    Lookup {
        /// The host name.
        name: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// The name exists and has no address.
    #[error("the host name `{name}` has no address")]
    NoAddress {
        /// The host name.
        name: String,
    },
    /// No answer came in time.
    #[error("cannot resolve the host name `{name}` within {} s", LIMIT.as_secs())]
    TimedOut {
        /// The host name.
        name: String,
    },
}

impl Address {
    /// Resolves a host name; every other address comes back as it is.
    ///
    /// Of several answers the lowest IPv4 address is taken, or the lowest IPv6 address if there is
    /// no other, so that all workers of a program agree whatever the order of the answers.
    ///
    /// # Errors
    ///
    /// Returns a [`ResolveError`] if the name is not known, has no address, or no answer comes
    /// within half a minute.
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the answer; nothing else has changed.
    pub async fn resolve(self) -> Result<Self, ResolveError> {
        let Self::Host(name, port) = self else {
            return Ok(self);
        };
        let lookup = async {
            let found = tokio::net::lookup_host((name.as_str(), port)).await?;
            // IPv4 sorts before IPv6.
            Ok(found.min())
        };
        match tokio::time::timeout(LIMIT, lookup).await {
            Err(_) => Err(ResolveError::TimedOut { name }),
            Ok(Err(source)) => Err(ResolveError::Lookup { name, source }),
            Ok(Ok(None)) => Err(ResolveError::NoAddress { name }),
            Ok(Ok(Some(address))) => Ok(Self::Tcp(address)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_host_name_becomes_an_address_with_the_same_port() {
        let address: Address = "localhost:80".parse().unwrap();
        let resolved = address.resolve().await.unwrap().tcp().unwrap();
        assert!(resolved.ip().is_loopback());
        assert_eq!(resolved.port(), 80);
    }

    #[tokio::test]
    async fn an_address_without_a_name_stays_as_it_is() {
        for text in ["127.0.0.1:80", "*:80", "unix:/run/a", "systemd:web"] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.clone().resolve().await.unwrap(), address);
        }
    }

    #[tokio::test]
    async fn an_unknown_name_is_an_error_that_names_it() {
        // No label may be that long, so that no name server needs to be asked.
        let name = "x".repeat(64);
        let error = Address::Host(name.clone(), 80).resolve().await.unwrap_err();
        assert!(error.to_string().contains(&name), "{error}");
    }
}
