use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[periodic(evry = "1s")]
    async fn greet(&self) {}
}

fn main() {}
