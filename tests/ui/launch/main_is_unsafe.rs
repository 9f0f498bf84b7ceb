use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {}

#[launch]
unsafe fn main() -> Greeter {
    Greeter
}
