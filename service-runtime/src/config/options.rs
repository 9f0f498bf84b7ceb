//! Every effective option of a snapshot, one by one, secrets masked.

use super::{Section, Snapshot, display};

/// Returns one line for each option, with its origin: what a program logs about its configuration.
pub(crate) fn log_options(snapshot: &Snapshot, sections: &[Section]) -> Vec<String> {
    options(snapshot, sections)
        .into_iter()
        .map(|(path, value, origin)| format!("{path} = {value} ({origin})"))
        .collect()
}

/// Returns the path, value and origin of each option, secrets masked.
pub(crate) fn options(snapshot: &Snapshot, sections: &[Section]) -> Vec<(String, String, String)> {
    let registered = |path: &str| {
        sections.iter().any(|section| {
            let rest = path.strip_prefix(&display::key(section.name()));
            rest.is_some_and(|rest| rest.starts_with('.'))
        })
    };
    let leaves = snapshot
        .leaves()
        .into_iter()
        .filter(|(path, _)| registered(path));
    leaves
        .map(|(path, entry)| (path, entry.to_string(), entry.origin.to_string()))
        .collect()
}
