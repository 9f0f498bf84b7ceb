use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service(name = "greeter")]
impl Greeter {
    #[start]
    fn on_start(&self) {}
}

fn main() {}
