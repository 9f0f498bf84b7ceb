use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[periodic(every = "0s")]
    async fn greet(&self) {}
}

fn main() {}
