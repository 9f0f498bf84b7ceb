use service_runtime::prelude::*;

struct Greeter;

impl Greeter {
    #[start]
    fn on_start(&self) {}

    #[periodic(every = "1s")]
    fn greet(&self) {}
}

fn main() {}
