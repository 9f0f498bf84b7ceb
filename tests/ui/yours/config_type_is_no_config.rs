use service_runtime::prelude::*;

struct Settings;

#[service(config = Settings)]
struct Greeter;

#[service]
impl Greeter {
    #[init]
    fn new(_config: Settings) -> Self {
        Self
    }
}

fn main() {}
