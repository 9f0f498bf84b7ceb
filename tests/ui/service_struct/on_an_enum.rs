use service_runtime::prelude::*;

#[service]
enum Greeter {
    One,
}

fn main() {}
