use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {}

#[launch(restart_method = "mutat")]
fn main() -> Greeter {
    Greeter
}
