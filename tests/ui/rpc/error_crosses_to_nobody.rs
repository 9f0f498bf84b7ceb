use service_runtime::prelude::*;

#[derive(Debug, thiserror::Error)]
#[error("no room")]
struct NoRoom;

#[service]
struct Compute;

#[service]
impl Compute {
    #[rpc]
    fn build(&self) -> Result<u32, NoRoom> {
        Err(NoRoom)
    }
}

fn main() {}
