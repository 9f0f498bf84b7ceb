use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[periodic(every = "60")]
    async fn greet(&self) {}
}

fn main() {}
