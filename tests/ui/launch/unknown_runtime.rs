use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {}

#[launch(runtime = "tokio")]
fn main() -> Greeter {
    Greeter
}
