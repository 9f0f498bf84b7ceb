use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[periodic(every = "1s", every = "2s")]
    async fn greet(&self) {}
}

fn main() {}
