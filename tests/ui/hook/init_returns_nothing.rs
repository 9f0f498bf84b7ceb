use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[init]
    fn new() {}
}

fn main() {}
