//! The keys of a service's table that say how it serves HTTP.

use std::fmt;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};

use crate::config::{Config, Size};

/// Where and how a service serves HTTP: the keys of its own table.
///
/// A duration or a size of zero switches its limit off.
#[derive(Debug, Clone, PartialEq, Deserialize, Config)]
pub struct HttpConfig {
    /// Where to listen: an address or a list of them, such as `127.0.0.1:8080`, `[::1]:8080`,
    /// `unix:/run/api.sock`, `systemd:name`. Port 0 takes a free one, which the log names.
    pub bind: Bind,
    /// How many connections wait in the accept queue.
    #[config(default = 1024, range = 1..=65535)]
    pub backlog: u32,
    /// The permissions of a unix socket's file, such as `660`; by default the umask's.
    pub socket_mode: Option<String>,
    /// Whether each worker has a socket of its own (`SO_REUSEPORT`).
    #[config(default = false)]
    pub reuse_port: bool,
    /// Whether small answers are sent at once (`TCP_NODELAY`).
    #[config(default = true)]
    pub nodelay: bool,
    /// After which silence TCP asks whether the client is still there.
    #[config(default = "10m")]
    pub tcp_keepidle: Duration,
    /// How many connections a worker has at a time; further ones wait in the accept queue.
    #[config(default = 10000)]
    pub max_connections: NonZeroUsize,
    /// How many requests one connection is good for. `0` for any number.
    #[config(default = 10000)]
    pub connection_requests: u64,
    /// How long a client may take to send the head of a request.
    #[config(default = "10s")]
    pub head_timeout: Duration,
    /// How long a connection may be idle between requests.
    #[config(default = "75s")]
    pub client_socket_timeout: Duration,
    /// How long a client may pause while it sends a body.
    #[config(default = "30s")]
    pub body_timeout: Duration,
    /// How long a client may pause while it takes an answer.
    #[config(default = "30s")]
    pub send_timeout: Duration,
    /// How long a handler may take to answer; then the client gets a 503.
    #[config(default = "60s")]
    pub request_timeout: Duration,
    /// The longest path and query; a longer one gets a 414.
    #[config(default = "8KiB")]
    pub url_max: Size,
    /// The longest header; a longer one gets a 431.
    #[config(default = "8KiB")]
    pub header_max: Size,
    /// The largest head of a request; a larger one gets a 431.
    #[config(default = "32KiB")]
    pub head_max: Size,
    /// The most headers of a request; more get a 431.
    #[config(default = 100)]
    pub headers_max: NonZeroUsize,
    /// The largest body of a request; a larger one gets a 413.
    #[config(default = "2MiB")]
    pub body_max: Size,
    /// How many requests of one HTTP/2 connection are answered at a time.
    #[config(default = 200)]
    pub http2_streams: NonZeroU32,
    /// How long a stop goes on accepting while readiness is already off.
    #[config(default = "0s")]
    pub drain_delay: Duration,
    /// How long a stop leaves idle connections open for one more request, whose answer tells the
    /// client that the connection closes.
    #[config(default = "1s")]
    pub linger: Duration,
    /// What is logged of each request: `off`, `text`, `json`, or a format of `{client}`, `{method}`,
    /// `{path}`, `{version}`, `{status}`, `{length}`, `{seconds}`, `{agent}` and `{id}`.
    #[config(default = "off")]
    pub access_log: String,
    /// Proxies whose `Forwarded` and `X-Forwarded-For` are believed: addresses, networks such as
    /// `10.0.0.0/8`, and `unix` for every unix socket.
    #[config(default = [])]
    pub trusted_proxies: Vec<String>,
    /// Whether `X-Request-Id` is taken over, or made, and answered.
    #[config(default = true)]
    pub request_id: bool,
    /// Whether `/healthz` and `/readyz` are answered before the routes are asked.
    #[config(default = true)]
    pub health: bool,
    /// TLS for every TCP listener of the table; needs the feature `tls`.
    #[config(nested)]
    pub tls: TlsConfig,
    /// Whether a panic's message is part of the 500 that the client gets.
    #[config(default = false)]
    pub debug: bool,
}

/// Certificates for HTTP: the table `tls` in a service's own.
#[derive(Debug, Clone, PartialEq, Deserialize, Config)]
pub struct TlsConfig {
    /// The file of the certificate and those up to its root, in PEM. TLS is on if it is given.
    pub cert: Option<PathBuf>,
    /// The file of the certificate's private key, in PEM.
    pub key: Option<PathBuf>,
    /// The file of certificates, in PEM, one of which has to have signed a client's own.
    pub client_ca: Option<PathBuf>,
    /// The oldest version that a client may speak: `1.2` or `1.3`.
    #[config(default = "1.2")]
    pub min_version: String,
}

/// One address to listen on, or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bind(Vec<String>);

impl Bind {
    /// Listens on these addresses.
    pub fn new<A: Into<String>>(addresses: impl IntoIterator<Item = A>) -> Self {
        Self(addresses.into_iter().map(Into::into).collect())
    }

    /// Returns the addresses as they were written.
    pub fn addresses(&self) -> &[String] {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Bind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BindVisitor)
    }
}

struct BindVisitor;

impl<'de> Visitor<'de> for BindVisitor {
    type Value = Bind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an address such as `127.0.0.1:8080`, or a list of them")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Bind, E> {
        // From the environment or a flag: `a, b` or `["a", "b"]`; an IPv6 address has brackets too.
        let text = text.trim();
        let list = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'));
        let list = list.unwrap_or(text).split(',');
        let list = list.map(|address| address.trim().trim_matches(['"', '\'']));
        check(list.map(str::to_owned).collect())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Bind, A::Error> {
        let mut addresses = Vec::new();
        while let Some(address) = items.next_element()? {
            addresses.push(address);
        }
        check(addresses)
    }
}

fn check<E: de::Error>(addresses: Vec<String>) -> Result<Bind, E> {
    if addresses.is_empty() {
        return Err(E::invalid_length(0, &BindVisitor));
    }
    for address in &addresses {
        let parsed = address.parse::<crate::listen::Address>();
        parsed.map_err(E::custom)?;
    }
    Ok(Bind(addresses))
}

/// A limit of time; zero is none.
pub(crate) fn limit(time: Duration) -> Option<Duration> {
    (!time.is_zero()).then_some(time)
}
