use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[cfg_attr(unix, start)]
    fn on_start(&self) {}
}

fn main() {}
