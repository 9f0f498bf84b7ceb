//! The tables `[<service>.periodic.<task>]`: when a periodic task runs, by configuration.

use std::time::Duration;

use crate::config::{ConfigErrors, Field, Origin, Section, Snapshot};
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
        Field::new("cron", "String")
            .doc("When it runs: minute, hour, day, month and weekday, after seconds if there are six.")
            .optional(),
        Field::new("zone", "String")
            .doc("The time zone of `cron`, such as `Europe/Berlin`; by default the one of the hook, or the system's.")
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

/// Refuses the tables of tasks that no service has, and times that are none.
pub(super) fn check(snapshot: &Snapshot) -> Result<(), ConfigErrors> {
    let mut errors: Option<ConfigErrors> = None;
    let mut refuse = |error: ConfigErrors| match &mut errors {
        Some(errors) => errors.append(error),
        None => errors = Some(error),
    };
    for (description, registration) in registry::all() {
        let tasks = registration.periodics;
        let path = format!("{}.{PERIODIC}", description.name());
        for (task, _, origin) in snapshot
            .entries(&path)
            .filter(|(task, ..)| !tasks.contains(task))
        {
            let hint = crate::near::hint(task, tasks.iter().copied());
            let message = format!("no periodic task has this name{hint}");
            refuse(ConfigErrors::at(&path, task, origin, message));
        }
        for task in tasks {
            let path = format!("{path}.{task}");
            if let Some((key, origin, message)) = wrong_time(snapshot, &path) {
                refuse(ConfigErrors::at(&path, key, origin, message));
            }
        }
    }
    errors.map_or(Ok(()), Err)
}

/// Returns what is wrong with the keys of one task that say when it runs.
fn wrong_time<'a>(
    snapshot: &'a Snapshot,
    path: &str,
) -> Option<(&'static str, &'a Origin, String)> {
    let table = snapshot.table(path)?;
    // Of another type it was refused before.
    let text = |key: &str| {
        let entry = table.get(key)?;
        Some((entry.value().as_str()?, entry.origin()))
    };
    let zone = text("zone");
    let Some((cron, origin)) = text("cron") else {
        let (_, origin) = zone?;
        let message = "it is the time zone of `cron`: give `cron` beside it".to_owned();
        return Some(("zone", origin, message));
    };
    if table.contains_key("every") {
        let message = "a task has one of `every` and `cron`: take the other out".to_owned();
        return Some(("cron", origin, message));
    }
    match check_cron(cron, zone.map(|(zone, _)| zone)) {
        Ok(()) => None,
        Err(WrongTime::Cron(message)) => Some(("cron", origin, message)),
        Err(WrongTime::Zone(message)) => Some(("zone", zone.map_or(origin, |(_, at)| at), message)),
    }
}

/// Which of the two is wrong, and how.
enum WrongTime {
    Cron(String),
    #[cfg_attr(
        not(feature = "cron"),
        expect(dead_code, reason = "no zone is looked up")
    )]
    Zone(String),
}

#[cfg(feature = "cron")]
fn check_cron(cron: &str, zone: Option<&str>) -> Result<(), WrongTime> {
    use crate::tasks::PeriodicError;

    Periodic::cron(cron.to_owned(), zone)
        .check()
        .map_err(|error| {
            let message = crate::error_chain::chain(&error);
            match error {
                PeriodicError::TimeZone { .. } => WrongTime::Zone(message),
                _ => WrongTime::Cron(message),
            }
        })
}

#[cfg(not(feature = "cron"))]
fn check_cron(_: &str, _: Option<&str>) -> Result<(), WrongTime> {
    let message = "this program is built without the feature `cron` of service-runtime";
    Err(WrongTime::Cron(message.to_owned()))
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
    #[cfg(feature = "cron")]
    if let Some(cron) = snapshot.option::<String>(&path("cron"))? {
        periodic = periodic.on_cron(cron, snapshot.option(&path("zone"))?);
    }
    if let Some(immediately) = snapshot.option::<bool>(&path("immediately"))? {
        periodic = periodic.immediately(immediately);
    }
    if let Some(jitter) = snapshot.option::<Duration>(&path("jitter"))? {
        periodic = periodic.jitter(jitter);
    }
    Ok(periodic)
}
