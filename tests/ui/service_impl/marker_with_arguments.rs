use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[start(early)]
    fn on_start(&self) {}
}

fn main() {}
