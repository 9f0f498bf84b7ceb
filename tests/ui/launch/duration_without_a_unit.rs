use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {}

#[launch(graceful_shutdown_timeout = "60")]
fn main() -> Greeter {
    Greeter
}
