use service_runtime::prelude::*;

#[service]
struct Greeter<'a> {
    name: &'a str,
}

fn main() {}
