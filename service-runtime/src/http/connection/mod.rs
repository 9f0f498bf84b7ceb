//! Connections: what is known of each, its socket, and the list of all that are open.

mod client;
mod frames;
mod in_flight;
mod list;
mod refusals;
mod socket;
mod state;

pub use self::client::Client;
pub(crate) use self::in_flight::InFlight;
pub(crate) use self::list::Connections;
pub(crate) use self::socket::{Agreed, Socket};
pub(crate) use self::state::{Connection, Overdue, Purpose};
