use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[start]
    fn on_start(&self) -> u32 {
        3
    }

    #[periodic(every = "1s")]
    async fn greet(&self) -> Vec<Option<u8>> {
        Vec::new()
    }
}

fn main() {}
