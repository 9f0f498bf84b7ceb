use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[init]
    async fn new() -> Result<()> {
        Ok(())
    }
}

fn main() {}
