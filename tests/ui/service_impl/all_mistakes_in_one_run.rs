use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[start]
    fn on_start(&mut self) {}

    #[run]
    fn serve<T>(&self, _cx: Context) {}

    #[perodic(every = "0s")]
    fn greet(&self) {}

    #[stop]
    fn on_stop(&self) {}
}

fn main() {}
