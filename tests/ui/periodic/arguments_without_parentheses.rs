use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[periodic = "60s"]
    async fn greet(&self) {}
}

fn main() {}
