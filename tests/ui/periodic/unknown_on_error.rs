use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[periodic(every = "1s", on_error = "stpo")]
    async fn greet(&self) {}
}

fn main() {}
