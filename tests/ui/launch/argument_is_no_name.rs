use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {}

#[launch(2)]
fn main() -> Greeter {
    Greeter
}
