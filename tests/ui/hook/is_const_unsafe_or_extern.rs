use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[start]
    const fn on_start(&self) {}

    #[stop]
    unsafe fn on_stop(&self) {}

    #[health]
    extern "C" fn check(&self) {}
}

fn main() {}
