use service_runtime::prelude::*;

#[interface(topic = "compute")]
trait ComputeApi {}

#[interface(topic = "admin")]
trait AdminApi {}

#[service]
#[derive(Default)]
struct Compute;

#[service(serves = [ComputeApi, AdminApi])]
impl Compute {
    #[rpc]
    async fn build(&self) {}
    #[rpc(interface = OtherApi)]
    async fn resize(&self) {}
}

#[service]
#[derive(Default)]
struct Alone;

#[service]
impl Alone {
    #[rpc(interface = ComputeApi)]
    async fn build(&self) {}
}

#[service]
#[derive(Default)]
struct Wrong;

#[service(serves = "ComputeApi")]
impl Wrong {}

fn main() {}
