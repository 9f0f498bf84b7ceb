use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[start]
    fn on_start(&self, _cx: &Context, _count: u32) {}
}

fn main() {}
