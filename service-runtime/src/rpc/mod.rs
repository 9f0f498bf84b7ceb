//! RPC: services that call each other, over unix sockets of this machine or a broker.
//!
//! `#[rpc]` methods of a `#[service]` can be called by the client that is written beside them;
//! [`serve`] and [`Client`] are the same by hand. The keys of the table `[rpc]` are those of
//! [`RpcConfig`].
//!
//! | file | what is in it |
//! | --- | --- |
//! | `client`, `sent` | a call as its caller makes it, and what became of it |
//! | `serve`, `server`, `readiness` | a topic, from its first ping on |
//! | `handling` | one request, whatever carried it, and its answer |
//! | `dispatch`, `method`, `version`, `base` | which method answers, and the methods that every topic has |
//! | `interface`, `surface` | what a topic offers, as a constant and as a committed file |
//! | `waiting` | waits for others |
//! | `call` | a call as its handler sees it, carried on to the calls that it makes |
//! | `stats`, `meters` | what is counted |
//! | `message`, `frame` | the wire |
//! | `transport`, `prepared` | what carries requests, chosen by `rpc.url` |
//! | `url` | the key that chooses it |
//! | `local` | the directory of sockets, and what became of a request that was not answered |
//! | `nats` | the subjects of a broker, and signs of life |
//!
//! What must stay true:
//!
//! - A request that may have begun is not sent a second time.
//! - A stop gives back what has not begun, and finishes the rest.
//! - Every wait has a bound: the caller's timeout, or a fixed patience with a caller.

mod address;
mod arguments;
mod base;
mod call;
mod client;
mod config;
mod dispatch;
mod error;
mod frame;
mod handling;
mod id;
mod interface;
mod local;
mod message;
mod meters;
mod method;
#[cfg(feature = "nats")]
mod nats;
mod prepared;
mod readiness;
mod sent;
mod serve;
mod server;
mod stats;
mod surface;
mod trace;
mod transport;
mod url;
mod version;
mod waiting;

pub use self::arguments::{ArgumentError, Arguments};
pub use self::call::Call;
pub use self::client::{Client, Outgoing};
pub use self::config::RpcConfig;
pub use self::error::{
    Answer, CallError, Failed, Fails, MethodOutcome, NoError, RemoteError, RpcError,
};
pub use self::interface::{ArgumentShape, Interface, MethodShape, Signature, TypedClient};
pub(crate) use self::interface::{Difference, same};
pub use self::message::Failure;
pub use self::method::Method;
pub(crate) use self::readiness::trouble;
pub use self::serve::serve;
pub(crate) use self::stats::{MethodReport, report};
pub use self::surface::{SurfaceError, check_surface};
pub use self::url::{RpcUrl, RpcUrlError};
pub use self::version::{Version, VersionError};
pub use self::waiting::wait_for;

/// What fuzzers call, and nobody else: it is there under `--cfg fuzzing` alone.
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing {
    /// Reads bytes as a request, an answer and the version of a request.
    pub fn message(bytes: &[u8]) {
        super::message::check_bytes(bytes);
        if let Some(version) = std::str::from_utf8(bytes)
            .ok()
            .and_then(|text| text.parse::<super::Version>().ok())
        {
            assert_eq!(version.to_string().parse(), Ok(version));
        }
    }

    /// Reads bytes as frames, until one cannot be read.
    pub async fn frames(mut bytes: &[u8], limit: usize) {
        while let Ok(body) = super::frame::read(&mut bytes, limit).await {
            assert!(body.len() <= limit);
            super::message::check_bytes(&body);
        }
    }
}
