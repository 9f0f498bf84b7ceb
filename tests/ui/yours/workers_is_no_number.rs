use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {}

#[launch(workers = name())]
fn main() -> Greeter {
    Greeter
}

fn name() -> &'static str {
    "two"
}
