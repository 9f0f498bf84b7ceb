use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {}

#[launch]
fn serve() -> Greeter {
    Greeter
}

fn main() {}
