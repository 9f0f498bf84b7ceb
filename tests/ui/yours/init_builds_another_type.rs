use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[init]
    fn new() -> Result<Other> {
        Ok(Other)
    }
}

struct Other;

fn main() {}
