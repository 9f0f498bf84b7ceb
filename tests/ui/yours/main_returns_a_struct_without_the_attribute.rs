use service_runtime::prelude::*;

struct Greeter;

#[launch(workers = 1)]
fn main() -> Greeter {
    Greeter
}
