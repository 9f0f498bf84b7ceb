//! One validated, immutable state of the configuration.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::de::DeserializeOwned;

#[cfg(workers)]
use super::text_kinds;
use super::{
    Config, ConfigError, ConfigErrors, Entry, Origin, Section, Table, Value,
    de::Reading,
    display,
    path::{Path, Step},
};
use crate::near;

/// One validated, immutable state of the configuration; a clone costs nothing.
///
/// `Display` and `Debug` write one line for each option with its origin, secrets masked.
#[derive(Clone)]
pub struct Snapshot(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    program: String,
    root: Table,
    sections: Vec<Section>,
}

impl Snapshot {
    pub(crate) fn new(program: &str, root: Table, sections: &[Section]) -> Self {
        Self(Arc::new(Inner {
            program: program.to_owned(),
            root,
            sections: sections.to_vec(),
        }))
    }

    /// Returns whether it is the very same state, not one with the same values.
    #[cfg(feature = "rpc")]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Returns the name of the program.
    pub fn program(&self) -> &str {
        &self.0.program
    }

    /// Reads a section as the type that it was declared with.
    ///
    /// # Errors
    ///
    /// Returns an error if no section of that name was declared, or if the values do not make a `T`;
    /// a snapshot was checked when it was built, so this happens only with a type other than the
    /// section's own.
    pub fn section<T: Config>(&self, name: &str) -> Result<T, ConfigErrors> {
        let Some(section) = self
            .0
            .sections
            .iter()
            .find(|section| section.name() == name)
        else {
            let known: Vec<_> = self.0.sections.iter().map(Section::name).collect();
            let message = near::with_known("no such section was declared".to_owned(), name, &known);
            return Err(ConfigError::new(name, "", &Origin::Default, message)
                .without_origin()
                .into());
        };
        let reading = section.reading(self.program(), &self.0.root);
        section.hide_foreign(&reading, T::FIELDS);
        finish(reading)
    }

    /// Reads one option, by its dotted path, as any type; `None` if it is not set.
    ///
    /// # Errors
    ///
    /// Returns an error, with the option's origin, if its value does not make a `T`.
    pub fn option<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, ConfigErrors> {
        let Some(entry) = self.get(path) else {
            return Ok(None);
        };
        finish(Reading::at(self.program(), Path::dotted(path), entry)).map(Some)
    }

    /// Returns the table of a section, by its name or a dotted path.
    pub fn table(&self, path: &str) -> Option<&Table> {
        self.get(path)?.value.as_table()
    }

    /// Returns the entry at a dotted path.
    pub fn get(&self, path: &str) -> Option<&Entry> {
        let mut keys = path.split('.');
        let first = self.0.root.get(keys.next()?)?;
        keys.try_fold(first, |entry, key| entry.value.as_table()?.get(key))
    }

    /// Goes over the entries of a table, by its name or a dotted path; none if there is no such table.
    pub fn entries(&self, path: &str) -> impl Iterator<Item = (&str, &Value, &Origin)> {
        let entries = self.table(path).into_iter().flatten();
        entries.map(|(key, entry)| (key.as_str(), &entry.value, &entry.origin))
    }

    /// Goes over the sections that were declared.
    pub(crate) fn sections(&self) -> impl Iterator<Item = &Section> {
        self.0.sections.iter()
    }

    /// Checks every one of the sections, as a build does.
    ///
    /// # Errors
    ///
    /// Returns everything that is wrong.
    pub(crate) fn validate(&self, sections: &[Section]) -> Result<(), ConfigErrors> {
        let errors = sections.iter().flat_map(|section| {
            let reading = section.reading(self.program(), &self.0.root);
            reading.run(section);
            reading.into_parts().0
        });
        ConfigErrors::or(errors.collect(), ())
    }

    /// Goes over all options that are not tables, with their dotted paths.
    pub(crate) fn leaves(&self) -> Vec<(String, &Entry)> {
        let mut leaves = Vec::new();
        gather(&self.0.root, "", &mut leaves);
        leaves
    }

    /// Returns the same snapshot with other tables.
    pub(crate) fn with_root(&self, root: Table) -> Self {
        Self::new(self.program(), root, &self.0.sections)
    }

    pub(crate) fn root(&self) -> &Table {
        &self.0.root
    }

    /// Gives texts the types that they have in a snapshot of the same layers.
    pub(crate) fn resolve_like(&mut self, like: &Self) {
        resolve_like(&mut Arc::make_mut(&mut self.0).root, &like.0.root);
    }

    /// Returns what each text is in a snapshot of the same layers that was read into types.
    #[cfg(workers)]
    pub(crate) fn kinds_in(&self, typed: &Self) -> Vec<u8> {
        text_kinds::kinds(&self.0.root, &typed.0.root)
    }

    /// Gives each text the type that [`kinds_in`](Self::kinds_in) has told.
    #[cfg(workers)]
    pub(crate) fn give_kinds(&mut self, kinds: Vec<u8>) {
        text_kinds::give(&mut Arc::make_mut(&mut self.0).root, &mut kinds.into_iter());
    }

    /// Puts typed values in the place of texts.
    pub(crate) fn resolve(&mut self, resolved: impl IntoIterator<Item = (Path, Value)>) {
        let root = &mut Arc::make_mut(&mut self.0).root;
        for (path, value) in resolved {
            let Some(entry) = find(root, path.steps()) else {
                continue;
            };
            // The text of a secret's file may be another at the next reload.
            if matches!(entry.value, Value::Text(_)) && !entry.origin.is_secret_file() {
                let mut typed = Entry::new(value, entry.origin.clone());
                typed.adopt(entry);
                *entry = typed;
            }
        }
    }
}

/// Gives every text the type that the text of the same origin has in another tree.
///
/// A text comes from the environment or the command line, which are the same for as long as the program
/// runs, or from a file of its own, which is not and stays a text.
fn resolve_like(table: &mut Table, like: &Table) {
    for (key, entry) in table {
        let Some(resolved) = like.get(key) else {
            continue;
        };
        match (&mut entry.value, &resolved.value) {
            (Value::Table(table), Value::Table(like)) => resolve_like(table, like),
            (Value::Text(_), _)
                if entry.origin == resolved.origin && !entry.origin.is_secret_file() =>
            {
                entry.value = resolved.value.clone();
            }
            _ => {}
        }
    }
}

fn finish<T: DeserializeOwned>(reading: Reading<'_>) -> Result<T, ConfigErrors> {
    let value = reading.whole();
    let errors = reading.into_parts().0;
    ConfigErrors::or(errors, ())?;
    value.ok_or_else(|| ConfigError::plain("the configuration cannot be read").into())
}

fn find<'a>(root: &'a mut Table, steps: &[Step]) -> Option<&'a mut Entry> {
    let (Step::Key(first), rest) = steps.split_first()? else {
        return None;
    };
    let mut entry = root.get_mut(first)?;
    for step in rest {
        entry = match (step, &mut entry.value) {
            (Step::Key(key), Value::Table(table)) => table.get_mut(key)?,
            (Step::Index(index), Value::Array(items)) => items.get_mut(*index)?,
            _ => return None,
        };
    }
    Some(entry)
}

fn gather<'a>(table: &'a Table, prefix: &str, leaves: &mut Vec<(String, &'a Entry)>) {
    for (key, entry) in table {
        let path = format!("{prefix}{}", display::key(key));
        match &entry.value {
            Value::Table(inner) => gather(inner, &format!("{path}."), leaves),
            _ => leaves.push((path, entry)),
        }
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, (path, entry)) in self.leaves().into_iter().enumerate() {
            f.write_str(if n == 0 { "" } else { "\n" })?;
            write!(f, "{path} = {entry} ({})", entry.origin)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let leaves: BTreeMap<_, _> = self.leaves().into_iter().collect();
        f.debug_map().entries(leaves).finish()
    }
}
