use service_runtime::prelude::*;

#[service]
struct Greeter;

impl Greeter {
    #[start]
    fn on_start(&self) {}
}

fn main() {}
