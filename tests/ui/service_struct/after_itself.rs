use service_runtime::prelude::*;

#[service(after = ["db", "greeter"])]
struct Greeter;

#[service]
impl Greeter {}

fn main() {}
