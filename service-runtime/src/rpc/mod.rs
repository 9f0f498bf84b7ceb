//! RPC: services that call each other, over unix sockets of this machine.
//!
//! `#[rpc]` methods of a `#[service]` can be called by the client that is written beside them;
//! [`serve`] and [`Client`] are the same by hand. The keys of the table `[rpc]` are those of
//! [`RpcConfig`].
//!
//! | file | what is in it |
//! | --- | --- |
//! | `client` | a call as its caller makes it |
//! | `serve`, `server`, `connection` | sockets, slots, one request and its answer |
//! | `dispatch`, `method`, `version` | which method answers |
//! | `interface`, `surface` | what a topic offers, as a constant and as a committed file |
//! | `call` | a call as its handler sees it, carried on to the calls that it makes |
//! | `message`, `frame` | the wire |
//! | `local` | the directory of sockets, and what became of a request that was not answered |
//!
//! What must stay true:
//!
//! - A request that may have begun is not sent a second time.
//! - A stop gives back what has not begun, and finishes the rest.
//! - Every wait has a bound: the caller's timeout, or a fixed patience with a caller.

mod address;
mod arguments;
mod call;
mod client;
mod config;
mod connection;
mod dispatch;
mod error;
mod frame;
mod id;
mod interface;
mod local;
mod message;
mod method;
mod serve;
mod server;
mod surface;
mod trace;
mod version;

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
pub use self::serve::serve;
pub use self::surface::{SurfaceError, check_surface};
pub use self::version::{Version, VersionError};
