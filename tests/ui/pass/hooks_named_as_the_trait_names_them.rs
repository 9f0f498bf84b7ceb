#![deny(warnings)]

use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[start]
    async fn start(&self, cx: &Context) -> Result<()> {
        let _ = cx;
        Ok(())
    }

    #[run]
    async fn run(&self) {}

    #[periodic(every = "1s")]
    async fn periodic(&self, cx: &Context) {
        let _ = cx;
    }

    #[reset]
    async fn reset(&self) {}

    #[stop]
    fn stop(&self) {}

    #[health]
    fn health(&self) {}
}

fn main() {}
