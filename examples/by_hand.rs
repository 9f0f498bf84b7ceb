//! What the attributes stand for: a service and a `main` without them.
//!
//! Run with
//!
//! ```text
//! cargo run --example by_hand
//! cargo run --example by_hand -- --workers 3
//! ```
//!
//! `launch` picks at start: one worker runs in this process, more are forked.
//!
//! What to try:
//!
//! - `--set ticker.every=200ms`: the table is known because `main` names it.
//! - HUP: the service is stopped and started again, under another pid if it is a worker.
//! - `--workers 0`: what a worker count must be, and exit code 2.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Deserialize;
use service_runtime::prelude::*;
use service_runtime::tasks::Timer;

#[derive(Deserialize, Config)]
struct Settings {
    /// How often it ticks.
    #[config(default = "1s")]
    every: Duration,
}

#[derive(Default)]
struct Ticker {
    ticks: AtomicU64,
}

impl Service for Ticker {
    fn description(&self) -> Description {
        Description::new("ticker").on_error(OnError::Restart)
    }

    async fn start(self: &Arc<Self>, cx: &Context) -> Result<()> {
        let settings: Settings = cx.config()?;
        let tasks = cx.tasks().sharing(self);
        tasks.timer("tick", Timer::every(settings.every), |this| async move {
            let tick = this.ticks.fetch_add(1, Ordering::Relaxed) + 1;
            tracing::info!("tick {tick}");
        })?;
        Ok(())
    }

    async fn stop(self: &Arc<Self>, _cx: &Context) -> Result<()> {
        tracing::info!("stopped after {}", self.ticks.load(Ordering::Relaxed));
        Ok(())
    }

    async fn health(self: &Arc<Self>, _cx: &Context) -> Health {
        match self.ticks.load(Ordering::Relaxed) {
            0 => Health::warn("no tick yet"),
            _ => Health::pass(),
        }
    }
}

fn main() -> ExitCode {
    let options = LaunchOptions::new("by_hand").section::<Settings>("ticker");
    launch(options, Ticker::default)
}
