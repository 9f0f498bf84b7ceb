use service_runtime::prelude::*;

struct Compute;

impl Compute {
    #[rpc(since = "1.2")]
    fn build(&self) {}
}

fn main() {}
