//! The framework is reached through a crate of the author's own, here a module.

mod facade {
    pub mod service_runtime {
        pub use service_runtime::*;
    }

    #[macro_export]
    macro_rules! a_service {
        ($name:ident) => {
            #[$crate::facade::service_runtime::service(crate = $crate::facade::service_runtime)]
            #[derive(Default)]
            struct $name;

            #[$crate::facade::service_runtime::service(crate = $crate::facade::service_runtime)]
            impl $name {
                #[start]
                fn begin(&self) {}
            }
        };
    }
}

use facade::service_runtime as sr;
use serde::Deserialize;
use sr::prelude::*;

a_service!(Other);

#[derive(Deserialize, Config)]
#[config(crate = sr)]
#[allow(dead_code)]
struct GreeterConfig {
    #[config(secret)]
    word: facade::service_runtime::Size,
}

#[derive(Debug, thiserror::Error, RpcError)]
#[rpc_error(crate = crate::facade::service_runtime)]
#[error("closed")]
struct Closed;

#[service(crate = sr, config = GreeterConfig)]
#[derive(Default)]
struct Greeter;

#[service(crate = sr)]
impl Greeter {
    #[sr::start]
    fn begin(&self) {}

    #[sr::periodic(every = "1s", on_error = "stop")]
    fn again(&self) {}

    #[rpc(since = "1.1")]
    fn close(&self) -> Result<(), Closed> {
        Err(Closed)
    }
}

mod never_called {
    use super::*;

    #[launch(crate = sr, restart_method = "mutate", max_memory = "1GiB")]
    pub(crate) fn main() -> facade::service_runtime::prelude::Result<(Greeter, Other)> {
        facade::service_runtime::prelude::anyhow::bail!("not started here")
    }
}

fn main() {
    let _ = never_called::main;
}
