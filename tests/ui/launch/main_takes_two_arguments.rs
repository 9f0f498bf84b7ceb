use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {}

#[launch]
fn main(_setup: &Setup, _first: First, _second: Second) -> Greeter {
    Greeter
}

struct First;
struct Second;
