//! Services with workers of their own: `[api] workers = 4`, and `[launch.pools.api]` for the rest.
//!
//! All services without a number of their own share the workers of the launch.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::launch_table::{LAUNCH, field_without_default, read_into};
use crate::config::{Config, ConfigErrors, Field, Origin, Section, Snapshot};
use crate::settings::{KEYS, Settings};

/// The sub-table of `[launch]` with a table for each service.
pub(super) const POOLS: &str = "pools";

/// The key of a service's own table.
const WORKERS: &str = "workers";

/// The most pools that a program can have.
const MOST: usize = 63;

#[cfg(workers)]
const _: () = assert!(MOST < crate::os::process::shared_page::POOLS);

/// A service whose workers run nothing else.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OwnPool {
    /// The service.
    pub(crate) service: String,
    /// The settings of the launch, with what the pool says over them.
    pub(crate) settings: Settings,
}

/// What the framework reads of a service's own table.
#[derive(Deserialize)]
struct Count {
    #[serde(default, rename = "workers")]
    _workers: Option<IgnoredAny>,
}

impl Config for Count {
    const FIELDS: &'static [Field] = &[Field::new(WORKERS, "NonZeroUsize")
        .doc("How many workers run this service and nothing else; without it, it shares those of [launch].")
        .optional()
        .mutable()];
}

/// Lets the table of a service say how many workers it has, unless the key is the author's.
pub(super) fn count(section: Section) -> Section {
    let is_taken = section.fields().iter().any(|field| field.name == WORKERS);
    if is_taken {
        section
    } else {
        section.with::<Count>()
    }
}

/// Lets `[launch.pools.<service>]` say what else is another for its workers.
pub(super) fn reserve(launch: Section) -> Section {
    let keys = KEYS.iter().filter(|key| key.is_of_a_pool());
    // Without a default, for what is not told is as in [launch].
    let fields = keys.map(|key| field_without_default(key).optional());
    launch.reserve(POOLS, fields.collect())
}

/// Reads which services have workers of their own, by name.
pub(super) fn read(snapshot: &Snapshot, launch: &Settings) -> Result<Vec<OwnPool>, ConfigErrors> {
    let sections = snapshot
        .sections()
        .filter(|section| section.name() != LAUNCH);
    let sections: Vec<&Section> = sections.collect();
    let known: Vec<&str> = sections.iter().map(|section| section.name()).collect();
    let mut errors: Option<ConfigErrors> = None;
    let mut refuse = |error: ConfigErrors| match &mut errors {
        Some(errors) => errors.append(error),
        None => errors = Some(error),
    };
    let tables = format!("{LAUNCH}.{POOLS}");
    for (service, _, origin) in snapshot.entries(&tables) {
        if !known.contains(&service) {
            let hint = crate::near::hint(service, known.iter().copied());
            let message = format!("no service has this name{hint}");
            refuse(ConfigErrors::at(&tables, service, origin, message));
        }
    }
    let mut pools = Vec::new();
    for section in sections {
        match pool(snapshot, launch, section) {
            Ok(pool) => pools.extend(pool),
            Err(error) => refuse(error),
        }
    }
    if pools.len() > MOST {
        let message = format!(
            "{} services have workers of their own, the most is {MOST}",
            pools.len()
        );
        refuse(ConfigErrors::at(LAUNCH, POOLS, &Origin::Default, message));
    }
    errors.map_or(Ok(pools), Err)
}

fn pool(
    snapshot: &Snapshot,
    launch: &Settings,
    section: &Section,
) -> Result<Option<OwnPool>, ConfigErrors> {
    let service = section.name();
    let table = format!("{LAUNCH}.{POOLS}.{service}");
    let is_ours = section.own().iter().all(|field| field.name != WORKERS);
    let counted = is_ours && snapshot.entries(service).any(|(key, ..)| key == WORKERS);
    let mut told = snapshot.entries(&table).peekable();
    if !counted && told.peek().is_none() {
        return Ok(None);
    }
    let mut settings = launch.clone();
    if counted {
        settings = read_into(settings, snapshot, service, |key| key == WORKERS)?;
    }
    let settings = read_into(settings, snapshot, &table, |_| true)?;
    let is_counted = counted || snapshot.entries(&table).any(|(key, ..)| key == WORKERS);
    if !is_counted {
        let origin = told
            .next()
            .map_or(&Origin::Default, |(_, _, origin)| origin);
        let message = format!(
            "expected how many workers run `{service}` and nothing else: only workers of its own \
             can be told other things than those of [launch]"
        );
        return Err(ConfigErrors::at(&table, WORKERS, origin, message));
    }
    let service = service.to_owned();
    Ok(Some(OwnPool { service, settings }))
}

/// Returns whether these are the pools of the same services.
pub(super) fn same(these: &[OwnPool], those: &[OwnPool]) -> bool {
    let names = |pools: &[OwnPool]| -> Vec<String> {
        pools.iter().map(|pool| pool.service.clone()).collect()
    };
    names(these) == names(those)
}
