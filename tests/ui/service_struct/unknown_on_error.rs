use service_runtime::prelude::*;

#[service(on_error = "restrat")]
struct Greeter;

#[service]
impl Greeter {}

fn main() {}
