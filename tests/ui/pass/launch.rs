#![deny(warnings)]

//! Every kind of `main`; none of them is called.

use service_runtime::prelude::*;

#[service]
struct Greeter;

#[service]
impl Greeter {}

mod one {
    use super::*;

    #[launch(workers = 1, restart_method = "mutate", graceful_shutdown_timeout = "90s", log_options)]
    pub(crate) fn main() -> Greeter {
        Greeter
    }
}

mod several {
    use super::*;

    #[cfg(target_os = "linux")]
    #[launch(workers = 2, runtime = "multi_thread", threads = 2)]
    pub(crate) fn main() -> Result<(Greeter, Greeter)> {
        Ok((services(), services()))
    }

    fn services() -> Greeter {
        Greeter
    }
}

mod computed {
    use super::*;

    #[launch(workers = std::thread::available_parallelism().map_or(1, usize::from))]
    #[allow(clippy::missing_const_for_fn)]
    pub(crate) fn main() -> Greeter {
        Greeter
    }
}

mod registered {
    use super::*;

    #[launch]
    pub(crate) fn main() {}
}

fn main() {
    let _ = [one::main, several::main, computed::main, registered::main];
}
