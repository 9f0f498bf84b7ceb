use service_runtime::prelude::*;

#[service(colour = "red")]
struct Greeter;

#[service]
impl Greeter {}

fn main() {}
