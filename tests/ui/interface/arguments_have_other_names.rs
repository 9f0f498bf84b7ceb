#![allow(unused_variables)]

use service_runtime::prelude::*;

#[interface(topic = "compute")]
trait ComputeApi {
    async fn build(&self, image: String) -> u32;
}

#[service]
#[derive(Default)]
struct Compute;

#[service(serves = ComputeApi)]
impl Compute {
    #[rpc]
    async fn build(&self, picture: String) -> u32 {
        0
    }
}

fn main() {}
