use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[stop]
    fn on_stop(_cx: &Context) {}
}

fn main() {}
