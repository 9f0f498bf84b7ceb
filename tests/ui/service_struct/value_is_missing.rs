use service_runtime::prelude::*;

#[service(name = , register = false)]
struct Greeter;

#[service]
impl Greeter {}

fn main() {}
