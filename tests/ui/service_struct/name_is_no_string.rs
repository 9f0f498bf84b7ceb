use service_runtime::prelude::*;

#[service(name = 5)]
struct Greeter;

#[service]
impl Greeter {}

fn main() {}
