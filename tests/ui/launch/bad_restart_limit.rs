use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {}

#[launch(restart_limit = "often")]
fn main() -> Greeter {
    Greeter
}
