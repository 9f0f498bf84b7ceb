use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {}

#[launch]
fn main<T>() -> Greeter {
    Greeter
}
