use service_runtime::prelude::*;

#[service(name = "")]
struct Greeter;

#[service]
impl Greeter {}

fn main() {}
