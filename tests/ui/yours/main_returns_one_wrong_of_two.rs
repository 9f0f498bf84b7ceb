use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {}

#[launch]
fn main() -> (Greeter, u32) {
    (Greeter, 3)
}
