use service_runtime::prelude::*;

struct Greeter;

#[service]
impl Greeter {
    #[start]
    fn on_start(&self) {}
}

fn main() {}
