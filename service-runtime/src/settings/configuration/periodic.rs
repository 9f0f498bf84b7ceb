//! The tables `[<service>.periodic.<task>]`: when a periodic task runs, by configuration.

use std::time::Duration;

use crate::config::{ConfigErrors, Field, Section, Snapshot};
use crate::service::{Context, registry};
use crate::tasks::Periodic;

/// The sub-table of a service that is the framework's.
const PERIODIC: &str = "periodic";

/// Lets a service's table hold what its periodic tasks may be told.
pub(super) fn reserve(section: Section, tasks: &'static [&'static str]) -> Section {
    if tasks.is_empty() {
        return section;
    }
    let fields = vec![
        Field::new("enabled", "bool")
            .doc("Whether the task runs.")
            .optional(),
        Field::new("every", "Duration")
            .doc("How often it runs.")
            .range(Some("\"1ms\""), None)
            .optional(),
        Field::new("immediately", "bool")
            .doc("Whether it first runs at once.")
            .optional(),
        Field::new("jitter", "Duration")
            .doc("A random delay of each run.")
            .optional(),
    ];
    section.reserve(PERIODIC, fields)
}

/// Refuses the tables of tasks that no service has.
pub(super) fn check(snapshot: &Snapshot) -> Result<(), ConfigErrors> {
    let mut errors: Option<ConfigErrors> = None;
    for (description, registration) in registry::all() {
        let tasks = registration.periodics;
        let path = format!("{}.{PERIODIC}", description.name());
        for (task, _, origin) in snapshot
            .entries(&path)
            .filter(|(task, ..)| !tasks.contains(task))
        {
            let hint = crate::near::hint(task, tasks.iter().copied());
            let message = format!("no periodic task has this name{hint}");
            let error = ConfigErrors::at(&path, task, origin, message);
            match &mut errors {
                Some(errors) => errors.append(error),
                None => errors = Some(error),
            }
        }
    }
    errors.map_or(Ok(()), Err)
}

/// Changes a periodic task as the configuration says.
pub(crate) fn periodic_settings(
    cx: &Context,
    task: &str,
    mut periodic: Periodic,
) -> anyhow::Result<Periodic> {
    let snapshot = cx.snapshot();
    let path = |key: &str| format!("{}.{PERIODIC}.{task}.{key}", cx.name());
    if let Some(enabled) = snapshot.option::<bool>(&path("enabled"))? {
        periodic = periodic.enabled(enabled);
    }
    if let Some(every) = snapshot.option::<Duration>(&path("every"))? {
        periodic = periodic.interval(every);
    }
    if let Some(immediately) = snapshot.option::<bool>(&path("immediately"))? {
        periodic = periodic.immediately(immediately);
    }
    if let Some(jitter) = snapshot.option::<Duration>(&path("jitter"))? {
        periodic = periodic.jitter(jitter);
    }
    Ok(periodic)
}
