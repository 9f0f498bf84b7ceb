use service_runtime::prelude::*;

#[service(register = "no")]
struct Greeter;

#[service]
impl Greeter {}

fn main() {}
