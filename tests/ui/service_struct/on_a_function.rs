use service_runtime::prelude::*;

#[service]
fn greeter() {}

fn main() {}
