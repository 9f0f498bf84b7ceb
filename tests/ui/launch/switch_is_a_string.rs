use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {}

#[launch(log_options = "yes")]
fn main() -> Greeter {
    Greeter
}
