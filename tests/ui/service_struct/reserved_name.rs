use service_runtime::prelude::*;

#[service(name = "launch")]
struct Greeter;

#[service]
impl Greeter {}

fn main() {}
