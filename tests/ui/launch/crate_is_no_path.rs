use serde::Deserialize;
use service_runtime::prelude::*;

#[service(crate = "sr", name = "Greeter")]
struct Greeter;

#[service(crate)]
impl Greeter {}

#[derive(Deserialize, Config)]
#[config(crate = sr())]
struct GreeterConfig {
    #[config(mutabel)]
    size: u8,
}

#[derive(Debug, thiserror::Error, RpcError)]
#[error("closed")]
#[rpc_error(krate = sr)]
struct Closed;

#[launch(crate = "sr", workers = 0)]
fn main() -> Greeter {
    Greeter
}
