use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[periodic(cron = "0 25 * * *")]
    async fn greet(&self) {}
}

fn main() {}
