#![deny(warnings)]
#![allow(dead_code, non_camel_case_types)]

mod core {}
mod std {}
mod tasks {}
struct Option;
struct Some;
struct None;
struct Result;
struct Ok;
struct Err;
struct Arc;
struct String;
struct Duration;
struct Service;
struct Hooks;
struct Health;
struct Config;
struct Section;

#[service_runtime::service]
struct Greeter;

#[service_runtime::service]
impl Greeter {
    #[init]
    fn new() -> Self {
        Self
    }

    #[service_runtime::start]
    fn on_start(&self, cx: &service_runtime::Context) {
        let _ = cx;
    }

    #[run]
    async fn serve(&self) {}

    #[periodic(every = "1s 1us", jitter = "3ms")]
    async fn greet(&self) {}

    #[stop]
    fn on_stop(&self) {}
}

fn main() {}
