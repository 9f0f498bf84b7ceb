use service_runtime::prelude::*;

#[service(name = "Greeter One")]
struct Greeter;

#[service]
impl Greeter {}

fn main() {}
