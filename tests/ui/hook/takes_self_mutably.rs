use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[reset]
    async fn on_reset(&mut self) {}
}

fn main() {}
