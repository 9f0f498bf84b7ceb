use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[stop]
    #[stop]
    fn on_stop(&self) {}
}

fn main() {}
