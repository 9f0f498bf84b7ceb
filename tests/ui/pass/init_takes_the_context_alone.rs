#![deny(warnings)]

use service_runtime::prelude::*;

type Built = std::io::Result<Greeter>;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[init]
    async fn new(_: &Context) -> Built {
        Ok(Self)
    }
}

fn main() {}
