use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[periodic(every = "1s", scope = "machine")]
    async fn greet(&self) {}
}

fn main() {}
