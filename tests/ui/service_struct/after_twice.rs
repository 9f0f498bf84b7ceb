use service_runtime::prelude::*;

#[service(after = ["db", "db"])]
struct Greeter;

#[service]
impl Greeter {}

fn main() {}
