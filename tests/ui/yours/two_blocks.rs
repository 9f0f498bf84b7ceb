use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[start]
    fn on_start(&self) {}
}

#[service]
impl Greeter {
    #[stop]
    fn on_stop(&self) {}
}

fn main() {}
