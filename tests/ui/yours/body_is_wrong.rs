use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[start]
    fn on_start(&self) {
        let count: u32 = "three";
        self.missing();
    }
}

fn main() {}
