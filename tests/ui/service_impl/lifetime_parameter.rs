use service_runtime::prelude::*;

struct Greeter<'a>(&'a str);

#[service]
impl<'a> Greeter<'a> {
    #[start]
    fn on_start(&self) {}
}

fn main() {}
