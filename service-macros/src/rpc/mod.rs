//! `#[rpc]`: methods that other services call, the client beside them, and their typed errors.

mod client;
mod error;
mod expand;
mod interface;
mod model;
mod serves;
mod shape;
mod version;

pub(crate) use self::{
    client::own_client,
    error::error,
    expand::methods,
    interface::interface,
    model::{Rpc, check_methods},
    serves::{Served, fits, sort},
};
