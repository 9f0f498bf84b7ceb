use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {}

#[launch(preload = "load")]
fn main() -> Greeter {
    Greeter
}
