use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {}

#[launch(workers = 2)]
fn main(_name: String) -> Greeter {
    Greeter
}
