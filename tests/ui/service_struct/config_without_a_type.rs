use service_runtime::prelude::*;

#[service(config)]
struct Greeter;

#[service]
impl Greeter {}

fn main() {}
