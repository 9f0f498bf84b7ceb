use service_runtime::prelude::*;

struct Greeter;

#[service]
impl Drop for Greeter {
    fn drop(&mut self) {}
}

fn main() {}
