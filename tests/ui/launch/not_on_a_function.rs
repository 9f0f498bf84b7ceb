use service_runtime::prelude::*;

#[launch]
struct Greeter;

fn main() {}
