use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {}

fn load(_path: &str) {}

#[launch(workers = 2, preload = load)]
fn main() -> Greeter {
    Greeter
}
