//! Unknown and repeated arguments, refused at one place for all attributes.

use super::{Given, Key, Written, near_miss};
use crate::problem::{Problems, problem};

/// The arguments of one attribute: all known, none twice.
pub(crate) struct Args(Vec<Given>);

impl Args {
    /// Sorts out what `attribute`, such as `#[launch]`, does not know or was given twice.
    pub(crate) fn new(
        attribute: &str,
        keys: &[Key],
        written: Vec<Written>,
        problems: &mut Problems,
    ) -> Self {
        let mut given: Vec<Given> = Vec::new();
        for Written { name, value } in written {
            let Some(key) = keys.iter().find(|key| name == key.name) else {
                let wrong = format!("`{attribute}` has no argument `{name}`");
                problems.push(problem(&name, wrong, help(&name.to_string(), keys)));
                continue;
            };
            if given.iter().any(|given| given.key.name == key.name) {
                let wrong = format!("`{name}` is given twice");
                let known = list(keys);
                problems.push(problem(
                    &name,
                    wrong,
                    format_args!("keep one of the two; `{attribute}` knows {known}"),
                ));
                continue;
            }
            given.push(Given {
                key: *key,
                name,
                value,
            });
        }
        Self(given)
    }

    /// Takes out the argument `name`, if it was given.
    pub(crate) fn take(&mut self, name: &str) -> Option<Given> {
        let place = self.0.iter().position(|given| given.key.name == name)?;
        Some(self.0.remove(place))
    }

    /// What was not taken, in the order in which it was written.
    pub(crate) fn rest(self) -> impl Iterator<Item = Given> {
        self.0.into_iter()
    }
}

fn help(name: &str, keys: &[Key]) -> String {
    let known = list(keys);
    match near_miss(name, keys.iter().map(|key| key.name)) {
        Some(meant) => format!("write `{meant}`; known are {known}"),
        None => format!("known are {known}"),
    }
}

fn list(keys: &[Key]) -> String {
    let names: Vec<_> = keys.iter().map(|key| format!("`{}`", key.name)).collect();
    names.join(", ")
}
