use service_runtime::prelude::*;

#[service]
struct Greeter(std::cell::Cell<u32>);

#[service]
impl Greeter {}

fn main() {}
