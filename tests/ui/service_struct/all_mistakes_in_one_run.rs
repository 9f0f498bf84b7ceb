use service_runtime::prelude::*;

#[service(nmae = "x", after = ["greeter"], on_error = "retry", register = 1)]
struct Greeter;

#[service]
impl Greeter {}

fn main() {}
