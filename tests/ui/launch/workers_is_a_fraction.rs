use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {}

#[launch(workers = 1.5)]
fn main() -> Greeter {
    Greeter
}
