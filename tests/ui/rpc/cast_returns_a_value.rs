use service_runtime::prelude::*;

#[service]
struct Compute;

#[service]
impl Compute {
    #[rpc(cast)]
    fn forget(&self) -> u32 {
        0
    }
}

fn main() {}
