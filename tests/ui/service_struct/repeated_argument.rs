use service_runtime::prelude::*;

#[service(name = "greeter", name = "other")]
struct Greeter;

#[service]
impl Greeter {}

fn main() {}
