use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[run]
    async fn serve<T: Send, const N: usize>(&self) {}
}

fn main() {}
