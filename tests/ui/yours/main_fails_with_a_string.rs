use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {}

#[launch]
fn main() -> core::result::Result<Greeter, String> {
    Ok(Greeter)
}
