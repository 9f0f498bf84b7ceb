use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {}

#[launch(workers = 0, runtime = "tokio", thread = 2)]
const fn main() -> Greeter {
    Greeter
}
