use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[periodic(every = "5s", jitter = "5s")]
    async fn greet(&self) {}
}

fn main() {}
