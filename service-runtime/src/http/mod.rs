//! HTTP as a service: workers share a listener, a reload loses no request, a stop drains.
//!
//! A service with `#[routes]` serves them on the listeners of its own configuration table, whose
//! keys are those of [`HttpConfig`]. [`HttpService`] is the same without a struct. Handlers are
//! axum's, or any [`tower_service::Service`].
//!
//! | folder | what is in it |
//! | --- | --- |
//! | `config` | the keys of the table |
//! | `server` | listeners, the accept loop, and how a stop drains |
//! | `connection` | one connection: its clocks, its socket, its end |
//! | `exchange` | one request and its answer: limits, panics, headers |
//!
//! What must stay true:
//!
//! - A connection of HTTP/1.1 is closed by us only after an answer that says so, or when it has been
//!   idle: for `client_socket_timeout`, or for `linger` of a stop.
//! - What is in flight is never cut by a stop before the launch's graceful timeout.
//! - Every wait for a client is bounded by a key.

mod config;
mod connection;
mod exchange;
mod ongoing;
mod route;
mod server;
mod service;
mod shared;
#[cfg(feature = "tls")]
mod tls;

pub use axum;

pub use self::config::{Bind, ForwardedHeader, HttpConfig, TlsConfig, TlsPair};

/// The options of [`HttpConfig`] that hold addresses.
#[doc(hidden)]
pub const ADDRESSES: &[&str] = &["bind", "health_bind"];
/// Opens the files that a service's table names, as its start does.
///
/// # Errors
///
/// Returns what is wrong with a certificate or a key, with its file.
#[doc(hidden)]
#[cfg_attr(
    not(feature = "tls"),
    expect(unused_variables, reason = "there are no such files")
)]
pub fn open_files(
    program: &str,
    root: &crate::config::Table,
    section: &crate::config::Section,
) -> Result<(), crate::config::ConfigErrors> {
    #[cfg(feature = "tls")]
    if let Some(table) = section.read::<HttpConfig>(program, root) {
        tls::open(&table.tls).map_err(|wrong| wrong.at(root, section.name()))?;
    }
    Ok(())
}

pub use self::connection::Client;
pub use self::exchange::RequestBody;
pub use self::service::HttpService;

pub(crate) use self::route::noting_routes;
pub(crate) use self::server::serve;
#[cfg(feature = "tls")]
pub(crate) use self::tls::tickets;

use std::error::Error;

use axum::http::{Request, Response};
use bytes::Bytes;
use http_body::Body;
use tower_service::Service as TowerService;

/// An error of any type.
pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// What answers requests: axum's `Router`, or any tower service of this shape.
pub trait Handler:
    TowerService<
        Request<RequestBody>,
        Response = Response<Self::AnswerBody>,
        Error = Self::Failure,
        Future: Send + 'static,
    > + Clone
    + Send
    + 'static
{
    /// The body of its answers.
    type AnswerBody: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static;
    /// Why it has none; the client gets a 500.
    type Failure: Into<BoxError>;
}

impl<S, B> Handler for S
where
    S: TowerService<Request<RequestBody>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type AnswerBody = B;
    type Failure = S::Error;
}

/// What fuzzers call, and nobody else: it is there under `--cfg fuzzing` alone.
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing {
    use std::net::IpAddr;

    /// Writes a line of the access log.
    pub fn access_log(format: &str, agent: &[u8]) -> Option<String> {
        super::exchange::fuzz_access_log(format, agent)
    }

    /// Reads a header of a proxy.
    pub fn forwarded(name: &'static str, value: &[u8]) -> Option<IpAddr> {
        super::exchange::fuzz_forwarded(name, value)
    }

    /// Reads the key of a trusted proxy.
    pub fn network(text: &str) -> Option<(IpAddr, u8)> {
        super::config::network(text)
    }
}

/// The guide's page, whose programs are compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guide/http.md")]
struct Guide;
