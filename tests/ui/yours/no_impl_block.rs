use service_runtime::prelude::*;

#[service]
struct Greeter;

fn main() {}
