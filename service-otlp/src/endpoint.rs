//! Where a collector listens, and how one batch gets there.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// The path of traces, below the address of a collector.
const PATH: &str = "/v1/traces";

/// Why an address is none of a collector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// It is not `http`.
    #[error("`{0}` does not begin with `http://`: a collector on this machine passes on by TLS")]
    Scheme(String),
    /// It has no host, or a port that is none.
    #[error("`{0}` has no host and port, such as `http://127.0.0.1:4318`")]
    Host(String),
}

/// The address of a collector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    host: String,
    path: String,
}

impl Endpoint {
    pub(crate) fn parse(text: &str) -> Result<Self, EndpointError> {
        let rest = text.strip_prefix("http://");
        let rest = rest.ok_or_else(|| EndpointError::Scheme(text.to_owned()))?;
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let path = path.trim_end_matches('/');
        let path = match path.ends_with(PATH) {
            true => path.to_owned(),
            false => format!("{path}{PATH}"),
        };
        let is_bracket = host.ends_with(']');
        let port = host.rsplit_once(':').filter(|_| !is_bracket);
        let is_right = match port {
            Some((name, port)) => !name.is_empty() && port.parse::<u16>().is_ok(),
            None => !host.is_empty(),
        };
        let is_clear = text.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_right || !is_clear {
            return Err(EndpointError::Host(text.to_owned()));
        }
        let host = match port {
            Some(_) => host.to_owned(),
            None => format!("{host}:4318"),
        };
        Ok(Self { host, path })
    }

    /// Sends a batch, and waits until the collector has taken it.
    pub(crate) fn post(&self, body: &str, within: Duration) -> io::Result<()> {
        let until = Instant::now() + within;
        let left = || {
            let left = until.saturating_duration_since(Instant::now());
            let left = Some(left).filter(|left| !left.is_zero());
            left.ok_or_else(|| io::Error::from(io::ErrorKind::TimedOut))
        };
        let address = self.host.to_socket_addrs()?.next();
        let address = address.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        let mut stream = TcpStream::connect_timeout(&address, left()?)?;
        let (host, path, length) = (&self.host, &self.path, body.len());
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\nconnection: close\r\n\r\n"
        );
        for part in [head.as_bytes(), body.as_bytes()] {
            let mut rest = part;
            while !rest.is_empty() {
                stream.set_write_timeout(Some(left()?))?;
                let written = stream.write(rest)?;
                rest = &rest[written..];
            }
        }
        let mut answer = Vec::new();
        // The first line is enough: `HTTP/1.1 200 OK`.
        while answer.len() < 12 {
            stream.set_read_timeout(Some(left()?))?;
            let mut bytes = [0; 64];
            match stream.read(&mut bytes)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => answer.extend_from_slice(&bytes[..read]),
            }
        }
        let status = String::from_utf8_lossy(&answer[9..12]).into_owned();
        if answer.starts_with(b"HTTP/1.") && status.starts_with('2') {
            return Ok(());
        }
        Err(io::Error::other(format!("it answers {status}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_host_and_the_path_of_traces() {
        for (text, host, path) in [
            ("http://127.0.0.1:4318", "127.0.0.1:4318", "/v1/traces"),
            ("http://collector/", "collector:4318", "/v1/traces"),
            ("http://[::1]:1/v1/traces", "[::1]:1", "/v1/traces"),
            ("http://[::1]", "[::1]:4318", "/v1/traces"),
            ("http://c:1/otlp/", "c:1", "/otlp/v1/traces"),
        ] {
            let endpoint = Endpoint::parse(text).unwrap();
            assert_eq!((&*endpoint.host, &*endpoint.path), (host, path), "{text}");
        }
    }

    #[test]
    fn other_addresses_are_refused_with_what_to_write() {
        for text in ["https://c:1", "c:1", ""] {
            let error = Endpoint::parse(text).unwrap_err();
            assert!(matches!(error, EndpointError::Scheme(_)), "{text}");
        }
        for text in [
            "http://",
            "http://:1",
            "http://c:x",
            "http://c:1/a b",
            "http://c\r\nx:1",
        ] {
            let error = Endpoint::parse(text).unwrap_err();
            assert!(matches!(error, EndpointError::Host(_)), "{text}");
        }
    }
}
