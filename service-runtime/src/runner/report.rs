//! What runs at the moment, for the log and for reports.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::RunningServices;
use crate::service::host::Host;
use crate::service::{Health, Phase};
use crate::status::{ProcessPart, ServiceStatus, TaskStatus, whole_seconds};
use crate::tasks::TaskInfo;

/// How long the services together may take to say how they go. A supervisor waits for longer.
const PATIENCE: Duration = Duration::from_secs(1);

impl RunningServices {
    /// Describes every service that still has something to do, one line each.
    pub(crate) fn still_running(&self) -> Vec<String> {
        self.handles
            .iter()
            .filter_map(|handle| handle.state.context())
            .map(|cx| {
                let mut parts: Vec<String> = cx.tasks().tasks().iter().map(task).collect();
                if let Some((hook, since)) = cx.current_hook() {
                    parts.insert(
                        0,
                        format!("hook `{hook}` for {}", whole_seconds(since.elapsed())),
                    );
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
    pub(crate) async fn part(&self) -> ProcessPart {
        let mut part = phases(&*self.host);
        let until = Instant::now() + PATIENCE;
        for (service, cx) in self.current() {
            let health = match timeout_at(until, service.health(&cx)).await {
                Ok(health) => health,
                Err(_) => Health::fail("no answer"),
            };
            let hook = cx.current_hook().map(|(hook, at)| (hook, at.elapsed()));
            let mut services = part.services.iter_mut();
            if let Some(status) = services.find(|status| status.name == cx.name()) {
                #[cfg(feature = "rpc")]
                let health = crate::rpc::trouble(&cx).unwrap_or(health);
                status.health = Some(health.to_string());
                status.hook = hook;
            }
            #[cfg(feature = "rpc")]
            part.calls.add(&cx);
            let tasks = cx.tasks().tasks();
            part.tasks
                .extend(tasks.iter().map(|info| task_status(cx.name(), info)));
        }
        part
    }
}

/// Describes every service with its phase.
pub(crate) fn phases(host: &dyn Host) -> ProcessPart {
    let states = host.states();
    let service = |(name, phase): (String, Phase)| ServiceStatus {
        status: states.status(&name),
        name,
        phase,
        health: None,
        hook: None,
    };
    ProcessPart {
        services: states.all().into_iter().map(service).collect(),
        ..ProcessPart::default()
    }
}

fn task_status(service: &str, info: &TaskInfo) -> TaskStatus {
    let now = Instant::now();
    let ago = |at: Option<Instant>| at.map(|at| now.duration_since(at));
    TaskStatus {
        name: info.name.to_string(),
        service: service.to_owned(),
        kind: info.kind,
        age: info.age,
        runs: info.runs,
        skipped: info.skipped,
        gated: info.gated,
        failures: info.failures,
        last_run_ago: ago(info.last_run),
        next_run_in: info.next_run.map(|at| at.duration_since(now)),
        running_for: ago(info.running_since),
    }
}

fn task(info: &TaskInfo) -> String {
    let age = info.running_since.map_or(info.age, |since| since.elapsed());
    format!("{} `{}` for {}", info.kind, info.name, whole_seconds(age))
}
