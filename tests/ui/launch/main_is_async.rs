use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {}

#[launch]
async fn main() -> Greeter {
    Greeter
}
