use service_runtime::prelude::*;

#[service]
trait Greeter {}

fn main() {}
