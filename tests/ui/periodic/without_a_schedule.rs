use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[periodic]
    async fn greet(&self) {}
}

fn main() {}
