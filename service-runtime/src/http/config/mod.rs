//! The keys of a service's table that say how it serves HTTP.

mod access_log;
mod bind;
mod check;
mod forwarded;
mod tls;

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use serde::Deserialize;

pub(crate) use self::access_log::{AccessFormat, Field, Part};
pub use self::bind::Bind;
#[cfg(feature = "tls")]
pub(crate) use self::check::version as tls_version;
pub(crate) use self::check::{Wrong, file_mode, group_id, network, proxy, user_id};
pub use self::forwarded::ForwardedHeader;
pub use self::tls::{TlsConfig, TlsPair};
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
    #[serde(default, deserialize_with = "check::socket_mode")]
    pub socket_mode: Option<String>,
    /// The user that a unix socket's file belongs to, by name or number; by default the one that the
    /// program was started as.
    pub socket_owner: Option<String>,
    /// The group that a unix socket's file belongs to, by name or number.
    pub socket_group: Option<String>,
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
    /// How many requests a client of HTTP/2 may take back before they were looked at; one more, and
    /// its connection is closed. `0` for any number.
    #[config(default = 20)]
    pub http2_resets: u32,
    /// How long a stop goes on accepting while readiness is already off.
    #[config(default = "0s")]
    pub drain_delay: Duration,
    /// How long a stop leaves idle connections open for one more request, whose answer tells the
    /// client that the connection closes.
    #[config(default = "1s")]
    pub linger: Duration,
    /// What is logged of each request: `off`, `text`, `json`, or a format of `{client}`, `{method}`,
    /// `{path}`, `{version}`, `{status}`, `{length}`, `{seconds}`, `{agent}` and `{id}`, in which `{{`
    /// and `}}` stand for a brace.
    #[config(default = "off")]
    #[serde(deserialize_with = "check::access_log")]
    pub access_log: String,
    /// Paths that the access log leaves out, such as `/healthz`; one that ends in `*` stands for every
    /// path that begins so.
    #[config(default = [])]
    pub access_log_exclude: Vec<String>,
    /// Which header of a trusted proxy tells the client: `x-forwarded-for` or `forwarded`; the other
    /// one is ignored.
    #[config(default = "x-forwarded-for")]
    pub forwarded: ForwardedHeader,
    /// Proxies whose header is believed: addresses, networks such as `10.0.0.0/8`, and `unix` for
    /// every unix socket.
    #[config(default = [])]
    #[serde(deserialize_with = "check::trusted_proxies")]
    pub trusted_proxies: Vec<String>,
    /// Which part of the traces is recorded for which no trusted proxy says that they are: from `0` to
    /// `1`.
    #[config(default = 0.0)]
    #[serde(deserialize_with = "check::ratio")]
    pub trace_sample_ratio: f64,
    /// Whether `X-Request-Id` is taken over, or made, and answered.
    #[config(default = true)]
    pub request_id: bool,
    /// Whether every line that is logged for a request names its method, path and id.
    #[config(default = true)]
    pub request_span: bool,
    /// Whether `/healthz` and `/readyz` are answered before the routes are asked.
    #[config(default = true)]
    pub health: bool,
    /// Where alone `/healthz` and `/readyz` are answered, without TLS: an address or a list; by
    /// default where the routes are.
    pub health_bind: Option<Bind>,
    /// Whether `/metrics` is answered, where `/healthz` would be, with the metrics of all processes of
    /// the program.
    #[config(default = false)]
    pub metrics: bool,
    /// TLS for every TCP listener of the table; needs the feature `tls`.
    #[config(nested)]
    pub tls: TlsConfig,
    /// Whether a panic's message is part of the 500 that the client gets.
    #[config(default = false)]
    pub debug: bool,
}

/// A limit of time; zero is none.
pub(crate) fn limit(time: Duration) -> Option<Duration> {
    (!time.is_zero()).then_some(time)
}
