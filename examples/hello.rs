use service_runtime::prelude::*;

#[service]
#[derive(Default)]
struct Greeter;

#[service]
impl Greeter {
    #[periodic(every = "1s")]
    async fn greet(&self) {
        tracing::info!("hello");
    }
}

#[launch(workers = 2)]
fn main() -> Greeter {
    Greeter
}
