use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {}

#[launch(workers = "2")]
fn main() -> Greeter {
    Greeter
}
