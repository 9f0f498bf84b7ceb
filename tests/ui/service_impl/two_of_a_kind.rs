use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[start]
    fn first(&self) {}

    #[start]
    fn second(&self) {}
}

fn main() {}
