use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {}

#[launch(crates = ["billing"])]
fn main() -> Greeter {
    Greeter
}
