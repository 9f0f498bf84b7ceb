use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[start]
    const COUNT: u32 = 3;
}

fn main() {}
