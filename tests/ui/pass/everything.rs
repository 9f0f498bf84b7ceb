#![deny(warnings, clippy::pedantic, missing_docs, unreachable_pub, unused_qualifications)]
//! Every argument and every hook, without a single warning.

use service_runtime::prelude::*;

/// What the greeter can be told.
#[derive(Debug, serde::Deserialize, Config)]
pub struct Settings {
    /// How often.
    pub count: u32,
}

/// Greets.
#[service(name = "greeter-2", after = ["db"], config = Settings, on_error = "restart")]
#[derive(Debug)]
pub struct Greeter {
    /// How often.
    pub count: u32,
}

#[service]
impl Greeter {
    /// Stays where it is.
    pub const LIMIT: u32 = 3;

    #[init]
    async fn new(config: Settings, _cx: &Context) -> Result<Self> {
        std::future::ready(()).await;
        Ok(Self {
            count: config.count.min(Self::LIMIT),
        })
    }

    #[start]
    async fn on_start(&self, _cx: &Context) -> Result<()> {
        std::future::ready(self.count).await;
        Ok(())
    }

    #[run]
    async fn serve(self: &std::sync::Arc<Self>, _cx: &Context) -> Result<()> {
        std::future::ready(self.count).await;
        Ok(())
    }

    #[periodic(every = "1s", immediately, jitter = "10ms", enabled = false, name = "greet-all")]
    #[periodic(every = "1h", on_error = "fail", scope = "program")]
    fn greet(&self) {
        println!("{}", self.count);
    }

    #[periodic(cron = "0 3 * * *", tz = "Europe/Berlin", on_error = "stop", scope = "worker")]
    async fn sweep(&self) -> core::result::Result<(), std::io::Error> {
        std::future::ready(self.count).await;
        Ok(())
    }

    #[reset]
    #[stop]
    fn forget(&self, _cx: &Context) {
        println!("{}", self.count);
    }

    #[health]
    fn check(&self) {
        println!("{}", self.count);
    }
}

fn main() {}
