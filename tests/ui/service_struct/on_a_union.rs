use service_runtime::prelude::*;

#[service]
union Greeter {
    one: u8,
}

fn main() {}
