use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {}

#[launch(worker = 2)]
fn main() -> Greeter {
    Greeter
}
