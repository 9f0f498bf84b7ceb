#![allow(unused_variables)]

use service_runtime::prelude::*;

#[interface(topic = "compute")]
trait ComputeApi {
    async fn build(&self, image: String, cores: u32) -> u32;
    async fn resize(&self, cores: u32) -> u32;
    #[rpc(since = "1.1")]
    async fn rename(&self, name: String);
    #[rpc(cast)]
    fn forget(&self);
}

#[service]
#[derive(Default)]
struct Compute;

#[service(serves = ComputeApi)]
impl Compute {
    #[rpc]
    async fn build(&self, call: &Call, image: String, cores: String) -> u32 {
        0
    }
    #[rpc]
    async fn rename(&self, name: String) {}
    #[rpc]
    fn forget(&self) {}
    #[rpc]
    async fn reboot(&self) {}
}

fn main() {}
