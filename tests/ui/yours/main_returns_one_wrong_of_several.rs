use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {}

struct Plain;

#[launch]
fn main() -> Result<(Greeter, Vec<(Greeter, Plain)>)> {
    Ok((Greeter, vec![(Greeter, Plain)]))
}
