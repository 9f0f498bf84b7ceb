use service_runtime::prelude::*;

#[service(after = ["db", 5])]
struct Greeter;

#[service]
impl Greeter {}

fn main() {}
