use service_runtime::prelude::*;

#[service(name "greeter")]
struct Greeter;

#[service]
impl Greeter {}

fn main() {}
