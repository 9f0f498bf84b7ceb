//! Every attribute, derive and macro of the framework, in a crate that knows it as `sr` alone.

use serde::Deserialize;
use sr::http::{HttpService, axum::Router};
use sr::prelude::*;

sr::cluster!(version = 2);
sr::http_table!("web");

/// The framework as a crate of the author's own would hand it on.
mod facade {
    pub(crate) mod service_runtime {
        pub(crate) use sr::*;
    }
}

#[derive(Debug, thiserror::Error, RpcError)]
enum Refused {
    #[error("{0} is too much")]
    TooMuch(u32),
}

#[derive(Deserialize, Config)]
struct GreeterConfig {
    #[config(default = "hello", mutable)]
    greeting: String,
    #[config(secret, nested)]
    more: Vec<Word>,
}

#[derive(Deserialize, Config)]
#[config(crate = sr)]
struct Word {
    #[config(secret)]
    word: String,
}

/// What callers of another crate would use.
mod api {
    use super::*;

    #[interface(topic = "greeter")]
    pub(crate) trait GreeterApi {
        #[rpc(since = "1.1")]
        fn greet(&self, times: u32) -> Result<String, Refused>;
    }
}

#[service(after = ["other"], on_error = "restart")]
struct Greeter {
    config: GreeterConfig,
}

#[service]
impl Greeter {
    #[init]
    fn new(config: GreeterConfig) -> Self {
        Self { config }
    }

    #[sr::start]
    async fn begin(&self, cx: &Context) -> Result<()> {
        let words = self.config.more.iter().map(|word| word.word.len());
        let letters: usize = words.sum();
        let (name, greeting) = (cx.name(), &self.config.greeting);
        println!("{name} says {greeting}, {letters} letters more");
        Ok(())
    }

    #[rpc(since = "1.1")]
    fn greet(&self, times: u32) -> Result<String, Refused> {
        match times {
            0..10 => Ok("hello".repeat(times as usize)),
            _ => Err(Refused::TooMuch(times)),
        }
    }

    #[rpc(cast)]
    fn note(&self, _what: String) {}

    #[periodic(every = "1h", on_error = "stop", scope = "program")]
    fn again(&self) {}

    #[run]
    async fn once(&self, cx: &Context) {
        cx.stopping().await;
    }

    #[stop]
    fn end(&self) {}

    #[health]
    fn health(&self) -> Health {
        Health::pass()
    }
}

#[service(crate = facade::service_runtime)]
#[derive(Default)]
struct Other;

#[service(crate = facade::service_runtime)]
impl Other {
    #[init]
    fn new() -> Self {
        Self
    }

    #[routes]
    fn routes(&self) -> Router {
        Router::new()
    }

    #[facade::service_runtime::start]
    fn begin(&self, cx: &Context) {
        println!("{} begins", cx.name());
    }
}

#[derive(Debug, thiserror::Error, RpcError)]
#[rpc_error(crate = facade::service_runtime)]
#[error("closed")]
struct Closed;

#[launch(
    crate = sr,
    workers = 1,
    graceful_shutdown_timeout = "10s",
    restart_method = "mutate",
)]
fn main() {
    let _calls = (GreeterClient::new, api::GreeterClient::new);
    let _typed = <Closed as rpc::RpcError>::to_failure;
    let _web = HttpService::new("web", Router::new());
}
