//! Options that change while the program runs, and one that does not.
//!
//! Run with
//!
//! ```text
//! cargo run --example reload -- --config-file examples/reload.toml
//! ```
//!
//! What to try:
//!
//! - Change `greeting` or `every` in `examples/reload.toml` and send the supervisor a HUP: each worker
//!   takes the new value over, with the pid it had. The log names each option that changed.
//! - Change `name`, which is not mutable: the log says that it needs a restart, and the old one stays.
//! - Write `greting`, or `every = "1"`: the reload is refused with file, line and what was expected,
//!   and nothing changes. At start the same file ends the program with 78.
//! - `--print-config`: every option with its value and where that came from. `--sample-config`: a
//!   file to start with. `RELOAD__GREETER__GREETING=hi` and `--set greeter.greeting=hi` win over the
//!   file, also after a reload.

use std::time::Duration;

use serde::Deserialize;
use service_runtime::prelude::*;
use tokio::sync::Notify;
use tokio::time::sleep;

/// The table `[greeter]` of the configuration.
#[derive(PartialEq, Deserialize, Config)]
struct Greeting {
    /// What is said.
    #[config(default = "hello", mutable)]
    greeting: String,
    /// How often.
    #[config(default = "1s", range = "10ms"..="1h", mutable)]
    every: Duration,
    /// Who is greeted.
    #[config(default = "world")]
    name: String,
}

#[service(config = Greeting)]
#[derive(Default)]
struct Greeter {
    changed: Notify,
}

#[service]
impl Greeter {
    #[init]
    fn new() -> Self {
        Self::default()
    }

    #[start]
    fn tell_changes(&self, cx: &Context) {
        cx.on_change(|old: &Greeting, new: &Greeting| {
            if old.greeting != new.greeting {
                tracing::info!("`{}` becomes `{}`", old.greeting, new.greeting);
            }
        });
    }

    #[reset]
    fn wake(&self) {
        self.changed.notify_one();
    }

    #[run]
    async fn greet(&self, cx: &Context) -> Result<()> {
        let live = cx.live::<Greeting>()?;
        loop {
            let settings = live.load();
            tracing::info!("{} {}", settings.greeting, settings.name);
            tokio::select! {
                () = sleep(settings.every) => {}
                () = self.changed.notified() => {}
                () = cx.stopping() => return Ok(()),
            }
        }
    }
}

#[launch(workers = 2, restart_method = "mutate")]
fn main() {}
