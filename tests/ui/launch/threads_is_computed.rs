use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {}

#[launch(threads = 2 * 2)]
fn main() -> Greeter {
    Greeter
}
