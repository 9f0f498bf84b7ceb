use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[periodic(every = "1s")]
    fn greet(&self) {}

    #[periodic(every = "1h", name = "greet")]
    fn count(&self) {}
}

fn main() {}
