use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {}

async fn load() {}

#[launch(workers = 2, preload = load)]
fn main() -> Greeter {
    Greeter
}
