use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {}

#[launch(workers = 0, runtime = "tokio", thread = 2)]
async fn main() -> Greeter {
    Greeter
}
