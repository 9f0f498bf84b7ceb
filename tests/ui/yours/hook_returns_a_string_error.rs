use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[stop]
    async fn on_stop(&self) -> core::result::Result<(), String> {
        Ok(())
    }
}

fn main() {}
