//! Two services that call each other, over unix sockets of this machine: nothing has to be installed.
//!
//! Run with
//!
//! ```text
//! cargo run --example calls
//! cargo run --example calls -- --workers 4
//! ```
//!
//! What to try:
//!
//! - Read the log: each second the shop asks for rooms, and any one of the workers answers.
//! - Start it a second time, with `--set rpc.host=second`: the two programs find each other, and each
//!   is answered by workers of both.
//! - `kill -9` a worker: what it was building is lost, and the shop is told so at once. Everything else goes
//!   on.
//! - `kill -HUP` the first process: the workers are replaced, and no call fails.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use service_runtime::prelude::*;

/// What a machine should be like.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Flavor {
    cores: u32,
}

/// A machine that was built.
#[derive(Debug, Serialize, Deserialize)]
struct Built {
    id: String,
    by: u32,
}

/// Why a machine was not built: an error that the caller gets as it is.
#[derive(Debug, thiserror::Error, RpcError)]
enum NoRoom {
    #[error("{wanted} cores are more than the {most} that there are")]
    TooManyCores { wanted: u32, most: u32 },
}

#[service]
#[derive(Default)]
struct Compute {
    machines: Mutex<BTreeSet<String>>,
}

#[service]
impl Compute {
    /// Builds a machine.
    #[rpc]
    async fn build(&self, call: &Call, image: String, flavor: Flavor) -> Result<Built, NoRoom> {
        let most = 8;
        if flavor.cores > most {
            let wanted = flavor.cores;
            return Err(NoRoom::TooManyCores { wanted, most });
        }
        let id = format!("{image}-{}", &call.id()[..8]);
        let mut machines = self.machines.lock().unwrap_or_else(PoisonError::into_inner);
        machines.insert(id.clone());
        let by = std::process::id();
        Ok(Built { id, by })
    }

    /// Forgets a machine, in whatever worker knows it.
    #[rpc(cast, since = "1.1")]
    fn forget(&self, id: String) {
        let mut machines = self.machines.lock().unwrap_or_else(PoisonError::into_inner);
        if machines.remove(&id) {
            tracing::info!("forgotten: {id}");
        }
    }
}

#[service(after = "compute")]
#[derive(Default)]
struct Shop;

#[service]
impl Shop {
    #[periodic(every = "1s", immediately)]
    async fn order(&self, cx: &Context) -> Result<()> {
        let compute = ComputeClient::new(cx);
        let built = compute
            .build("debian".to_owned(), Flavor { cores: 2 })
            .await?;
        tracing::info!("built {} by {}", built.id, built.by);
        match compute
            .build("debian".to_owned(), Flavor { cores: 64 })
            .await
        {
            Err(CallError::Expected(NoRoom::TooManyCores { most, .. })) => {
                tracing::info!("no room: {most} cores at most");
            }
            other => anyhow::bail!("expected no room, got {other:?}"),
        }
        compute.everywhere().forget(built.id).await?;
        Ok(())
    }
}

#[launch(workers = 2)]
fn main() -> (Compute, Shop) {
    (Compute::default(), Shop)
}
