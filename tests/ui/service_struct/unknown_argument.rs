use service_runtime::prelude::*;

#[service(nmae = "greeter")]
struct Greeter;

#[service]
impl Greeter {}

fn main() {}
