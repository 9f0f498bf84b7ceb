use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[strat]
    fn on_start(&self) {}

    #[on_stop]
    fn on_stop(&self) {}
}

fn main() {}
