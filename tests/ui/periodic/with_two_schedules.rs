use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[periodic(every = "1s", cron = "0 3 * * *")]
    async fn greet(&self) {}
}

fn main() {}
