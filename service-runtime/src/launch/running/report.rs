//! What runs at the moment, for the log.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::Running;
use crate::service::Health;
use crate::tasks::TaskInfo;

/// How long a service may take to say how it goes.
const PATIENCE: Duration = Duration::from_secs(2);

impl Running {
    /// Describes every service that still has something to do, one line each.
    pub(crate) fn still_running(&self) -> Vec<String> {
        self.lives
            .iter()
            .filter_map(|life| life.now.context())
            .map(|cx| {
                let mut parts: Vec<String> = cx.tasks().tasks().iter().map(task).collect();
                if let Some((hook, since)) = cx.current_hook() {
                    parts.insert(0, format!("hook `{hook}` for {}", whole(since.elapsed())));
                }
                let parts = if parts.is_empty() {
                    "nothing".to_owned()
                } else {
                    parts.join(", ")
                };
                format!("service `{}` still runs {parts}", cx.name())
            })
            .collect()
    }

    /// Logs every service with its phase, health and tasks.
    pub(crate) async fn report(&self) {
        for (name, phase) in self.host.board().all() {
            tracing::info!(service = name, %phase, "report");
        }
        for (service, cx) in self.current() {
            let health = match timeout(PATIENCE, service.health(&cx)).await {
                Ok(health) => health,
                Err(_) => Health::fail("no answer"),
            };
            tracing::info!(service = cx.name(), %health, "report");
            for info in cx.tasks().tasks() {
                let now = Instant::now();
                let ago = |at: Option<Instant>| at.map(|at| whole(now.duration_since(at)));
                let next = info.next_run.map(|at| whole(at.duration_since(now)));
                tracing::info!(
                    service = cx.name(),
                    task = %info.name,
                    kind = %info.kind,
                    age = whole(info.age),
                    runs = info.runs,
                    skipped = info.skipped,
                    failures = info.failures,
                    last_run_ago = ago(info.last_run),
                    next_run_in = next,
                    running_for = ago(info.running_since),
                    "report"
                );
            }
        }
    }
}

fn task(info: &TaskInfo) -> String {
    let age = info.running_since.map_or(info.age, |since| since.elapsed());
    format!("{} `{}` for {}", info.kind, info.name, whole(age))
}

/// Cuts a duration to what a person wants to read.
fn whole(time: Duration) -> String {
    let cut = if time.as_secs() > 0 {
        Duration::from_secs(time.as_secs())
    } else {
        Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
    };
    humantime::format_duration(cut).to_string()
}
