use service_runtime::prelude::*;

#[service(after = ["My Database"])]
struct Greeter;

#[service]
impl Greeter {}

fn main() {}
