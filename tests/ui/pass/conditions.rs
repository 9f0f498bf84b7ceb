#![deny(warnings)]

use service_runtime::prelude::*;

#[service]
#[cfg(unix)]
struct Greeter;

#[service]
#[cfg(unix)]
impl Greeter {
    #[init]
    #[cfg(unix)]
    fn here() -> Self {
        Self
    }

    #[cfg(not(unix))]
    #[init]
    fn elsewhere() -> Missing {
        Missing
    }

    #[start]
    #[cfg(not(unix))]
    fn on_start(&self, cx: &Missing) {}

    #[run]
    #[cfg(not(unix))]
    fn serve(&self, cx: &Missing) {}

    #[periodic(every = "1s")]
    #[cfg(not(unix))]
    fn greet(&self, cx: &Missing) {}

    #[stop]
    #[cfg(not(unix))]
    fn on_stop(&self, cx: &Missing) {}

    #[stop]
    #[cfg(unix)]
    fn on_stop(&self) {}
}

#[service]
#[cfg(not(unix))]
struct Stranger(Missing);

#[service]
#[cfg(not(unix))]
impl Stranger {}

fn main() {}
