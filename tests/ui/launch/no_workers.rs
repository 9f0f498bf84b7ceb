use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {}

#[launch(workers = 0)]
fn main() -> Greeter {
    Greeter
}
