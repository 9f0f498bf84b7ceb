use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {}

#[launch(umask = "9")]
fn main() -> Greeter {
    Greeter
}
