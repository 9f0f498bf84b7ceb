use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[init]
    fn new(_config: &Settings, _cx: &Context) -> Self {
        Self
    }
}

fn main() {}
