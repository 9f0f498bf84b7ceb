use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {}

#[launch(workers = 2, workers = 3)]
fn main() -> Greeter {
    Greeter
}
