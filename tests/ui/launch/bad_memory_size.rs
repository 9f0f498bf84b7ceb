use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {}

#[launch(max_memory = "256")]
fn main() -> Greeter {
    Greeter
}
