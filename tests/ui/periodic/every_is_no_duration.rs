use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[periodic(every = "soon")]
    async fn greet(&self) {}
}

fn main() {}
