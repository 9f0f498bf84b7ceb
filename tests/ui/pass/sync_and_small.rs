#![deny(warnings)]

use service_runtime::prelude::*;

#[service(after = "db", register = false)]
struct Greeter(u32);

#[service]
impl Greeter {
    #[init]
    fn new() -> Self {
        Self(3)
    }

    #[start]
    fn on_start(&self) {}

    #[run]
    fn serve(&self) -> Result<()> {
        Ok(println!("{}", self.0))
    }

    #[periodic(every = "500ms")]
    fn greet(&self) {}

    #[reset]
    fn on_reset(&self) {}

    #[stop]
    fn on_stop(&self) {}
}

#[service]
struct Nothing;

#[service]
impl Nothing {}

fn main() {
    let _ = (Greeter::new, Nothing);
}
