use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[init]
    fn new(_config: impl Config) -> Self {
        Self
    }
}

fn main() {}
