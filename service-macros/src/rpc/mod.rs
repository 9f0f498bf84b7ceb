//! `#[rpc]`: methods that other services call, the client beside them, and their typed errors.

mod client;
mod error;
mod expand;
mod model;
mod version;

pub(crate) use self::{
    client::client,
    error::error,
    expand::methods,
    model::{Rpc, check_methods},
};
