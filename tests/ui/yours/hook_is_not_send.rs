use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {
    #[run]
    async fn serve(&self) {
        let count = std::rc::Rc::new(3);
        std::future::ready(()).await;
        drop(count);
    }
}

fn main() {}
