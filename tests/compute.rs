//! Interfaces that a fixture serves and calls: they stand in another crate than it does.

use service_runtime::prelude::*;

/// Why nothing was built.
#[derive(Debug, thiserror::Error, PartialEq, RpcError)]
pub enum NoRoom {
    /// So much was wanted.
    #[error("{wanted} cores are too many")]
    TooManyCores {
        /// The cores.
        wanted: u32,
    },
}

/// What computes.
#[interface(topic = "compute")]
pub trait ComputeApi {
    /// Builds a machine.
    #[rpc(since = "1.2")]
    async fn build(
        &self,
        image: String,
        cores: u32,
        #[serde(default)] tags: Vec<String>,
    ) -> Result<String, NoRoom>;

    /// Returns who serves, however often it is asked; the first one dies of it if it is told so.
    #[rpc(idempotent)]
    async fn survive(&self, dies: Option<u32>) -> u32;

    /// Forgets a machine.
    #[rpc(cast)]
    fn forget(&self, id: String);
}

/// What only operators call.
#[interface(topic = "compute-admin")]
pub trait AdminApi {
    /// Counts the machines.
    async fn count(&self) -> Result<u32>;
}
