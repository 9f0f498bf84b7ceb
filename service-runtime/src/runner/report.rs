//! What runs at the moment, for the log and for reports.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::Running;
use crate::service::host::Host;
use crate::service::{Health, Phase};
use crate::status::{Row, Value, whole};
use crate::tasks::TaskInfo;

/// How long the services together may take to say how they go. A supervisor waits for longer.
const PATIENCE: Duration = Duration::from_secs(1);

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

    /// Describes every service with its phase and health, and every task.
    pub(crate) async fn part(&self) -> Vec<Row> {
        let mut rows = phases(&*self.host);
        let until = Instant::now() + PATIENCE;
        for (service, cx) in self.current() {
            let health = match timeout_at(until, service.health(&cx)).await {
                Ok(health) => health,
                Err(_) => Health::fail("no answer"),
            };
            let hook = cx.current_hook();
            let (hook, since) = hook
                .map(|(hook, at)| (hook.to_string(), at.elapsed()))
                .unzip();
            let name = Value::from(cx.name());
            let own = rows.iter_mut().find(|row| row.is_called(&name));
            if let Some(row) = own {
                *row = std::mem::take(row)
                    .with("health", health.to_string())
                    .with("hook", hook)
                    .with("hook_for", since);
            }
            rows.extend(
                cx.tasks()
                    .tasks()
                    .iter()
                    .map(|info| of_task(cx.name(), info)),
            );
        }
        rows
    }
}

/// Describes every service with its phase.
pub(crate) fn phases(host: &dyn Host) -> Vec<Row> {
    let service = |(name, phase): (String, Phase)| {
        let row = Row::of_many("service", "services").with("name", name);
        row.with("phase", phase.to_string())
    };
    host.board().all().into_iter().map(service).collect()
}

fn of_task(service: &str, info: &TaskInfo) -> Row {
    let now = Instant::now();
    let ago = |at: Option<Instant>| at.map(|at| now.duration_since(at));
    let next = info.next_run.map(|at| at.duration_since(now));
    Row::of_many("task", "tasks")
        .with("name", &*info.name)
        .with("service", service)
        .with("kind", info.kind.to_string())
        .with("age", info.age)
        .with("runs", info.runs)
        .with("skipped", info.skipped)
        .with("gated", info.gated)
        .with("failures", info.failures)
        .with("last_run_ago", ago(info.last_run))
        .with("next_run_in", next)
        .with("running_for", ago(info.running_since))
}

fn task(info: &TaskInfo) -> String {
    let age = info.running_since.map_or(info.age, |since| since.elapsed());
    format!("{} `{}` for {}", info.kind, info.name, whole(age))
}
