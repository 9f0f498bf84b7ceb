use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[init]
    fn new(_first: u8, _second: u16) -> Self {
        Self
    }
}

fn main() {}
