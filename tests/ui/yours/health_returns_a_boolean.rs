use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[health]
    async fn check(&self) -> bool {
        true
    }
}

fn main() {}
