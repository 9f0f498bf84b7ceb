//! Reading a section: the author's `Deserialize` over the tree of values, and all that is wrong with it.
//!
//! serde stops at the first error. A read is therefore repeated without the value that was refused,
//! until nothing new is said; errors that only say that such a value is now missing are dropped.

mod access;
mod deserializer;
mod fault;
mod node;
pub(crate) mod text;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use serde::de::DeserializeOwned;

use self::{
    fault::{Fault, Kind},
    node::{Node, Notes},
};
use super::{ConfigError, Entry, Field, Origin, Value, display, env, path::Path};

/// How many times a section is read for more errors; who has made as many mistakes has made one many times.
const LIMIT: usize = 100;

/// One section being read, and what has come of it so far.
pub(crate) struct Reading<'a> {
    program: &'a str,
    path: Path,
    entry: &'a Entry,
    /// The options of the section, as far as they are known.
    fields: &'a [Field],
    secrets: Vec<String>,
    errors: RefCell<Vec<ConfigError>>,
    /// Paths of the framework's tables, which the author's type does not see.
    reserved: BTreeSet<Path>,
    /// Paths of options of the same table that are another type's.
    foreign: RefCell<BTreeSet<Path>>,
    /// Paths of options that are not missing but refused before, under another name or as a whole.
    excused: BTreeSet<Path>,
    /// Paths of what was refused.
    skipped: RefCell<BTreeSet<Path>>,
    resolved: RefCell<BTreeMap<Path, Value>>,
}

/// Runs the `Deserialize` of a section's type for its errors.
pub(crate) fn check<T: DeserializeOwned>(reading: &Reading<'_>) {
    let _: Option<T> = reading.read(&reading.path, reading.entry);
}

impl<'a> Reading<'a> {
    /// Tells which options the section has.
    pub(crate) fn describing(self, fields: &'a [Field]) -> Self {
        Self { fields, ..self }
    }

    /// Hides the sub-tables of these names, which belong to the framework.
    pub(crate) fn reserving<'n>(self, names: impl Iterator<Item = &'n str>) -> Self {
        Self {
            reserved: names.map(|name| self.path.key(name)).collect(),
            ..self
        }
    }

    /// Begins to read the value at a path.
    pub(crate) fn at(program: &'a str, path: Path, entry: &'a Entry) -> Self {
        let mut secrets = Vec::new();
        gather_secrets(entry, &mut secrets);
        // One secret may be part of another, which must be masked as a whole.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self {
            program,
            path,
            entry,
            fields: &[],
            secrets,
            errors: RefCell::default(),
            reserved: BTreeSet::new(),
            foreign: RefCell::default(),
            excused: BTreeSet::new(),
            skipped: RefCell::default(),
            resolved: RefCell::default(),
        }
    }

    /// Hides the options of these names, which another type reads from the same table.
    pub(crate) fn hide<'n>(&self, names: impl Iterator<Item = &'n str>) {
        *self.foreign.borrow_mut() = names.map(|name| self.path.key(name)).collect();
    }

    /// Takes it that enough was said about some options, should they be missing.
    pub(crate) fn excusing(self, excused: &BTreeSet<Path>) -> Self {
        Self {
            excused: excused.clone(),
            ..self
        }
    }

    /// Tells whether enough was said about an option, or a section, that is missing.
    pub(crate) fn excuses(&self, path: &Path) -> bool {
        self.excused.contains(path)
    }

    /// Reads the whole as a value of type `T`; what is wrong with it is noted.
    pub(crate) fn whole<T: DeserializeOwned>(&self) -> Option<T> {
        self.read(&self.path, self.entry)
    }

    /// Reads an entry inside the section as a value of type `T`; what is wrong with it is noted.
    pub(crate) fn read<T: DeserializeOwned>(&self, path: &Path, entry: &Entry) -> Option<T> {
        for _ in 0..LIMIT {
            let node = Node {
                reading: self,
                entry,
                path: path.clone(),
            };
            match T::deserialize(node) {
                Ok(value) => return Some(value),
                Err(fault) => {
                    if !self.note(fault.or_at(path, entry), path) {
                        return None;
                    }
                }
            }
        }
        None
    }

    /// Returns the section's own entry and the way to it.
    pub(crate) fn root(&self) -> (&Path, &'a Entry) {
        (&self.path, self.entry)
    }

    /// Returns what is wrong, and what the texts of the section turned out to be.
    pub(crate) fn into_parts(self) -> (Vec<ConfigError>, BTreeMap<Path, Value>) {
        (self.errors.into_inner(), self.resolved.into_inner())
    }

    /// Tells whether the value at a path was refused already, or is not for the author's type.
    pub(crate) fn skips(&self, path: &Path) -> bool {
        self.reserved.contains(path)
            || self.foreign.borrow().contains(path)
            || self.skipped.borrow().contains(path)
    }

    /// Refuses the value at a path; tells whether that is new.
    pub(crate) fn refuse(&self, path: &Path, origin: &Origin, message: impl Into<String>) -> bool {
        let new = self.skipped.borrow_mut().insert(path.clone());
        if new {
            let (table, key) = path.table_and_key();
            self.errors
                .borrow_mut()
                .push(ConfigError::new(&table, &key, origin, message));
        }
        new
    }

    /// Refuses a required option that nobody has given, and names the ways to give it; `inside` is
    /// where the table comes from that it is missing in.
    pub(crate) fn refuse_missing(&self, path: &Path, inside: &Origin) {
        if !self.skipped.borrow_mut().insert(path.clone()) || self.excuses(path) {
            return;
        }
        let (table, key) = path.table_and_key();
        let error = if path.is_in_an_array() {
            let name = path.keys_after_the_last_array();
            let message = format!("required and not set: add `{name} = …` to this item");
            ConfigError::new(&table, &key, inside, message)
        } else {
            let mut ways = vec![format!(
                "`{key} = …` under `[{table}]` in a configuration file"
            )];
            if let Some(variable) = env::variable(self.program, path, self.fields) {
                ways.push(format!("`{variable}=…` in the environment"));
            }
            // `--set` splits its key at points, and ends it at the first `=`.
            if path.keys().all(|key| display::key(key) == key) {
                ways.push(format!("`--set {path}=…`"));
            }
            let last = ways.pop().unwrap_or_default();
            let or = if ways.len() > 1 {
                ", or as "
            } else {
                " or as "
            };
            let ways = match ways.is_empty() {
                true => last,
                false => format!("{}{or}{last}", ways.join(", as ")),
            };
            let message = format!("required and not set: give it as {ways}");
            ConfigError::new(&table, &key, &Origin::Default, message).without_origin()
        };
        self.errors.borrow_mut().push(error);
    }

    /// Notes a fault; tells whether another read without the refused value may find more.
    fn note(&self, fault: Fault, root: &Path) -> bool {
        let message = fault.message(&self.secrets);
        let place = fault
            .place
            .expect("a fault gets its place where it is caught");
        if let Kind::Missing(name) = fault.kind {
            let missing = place.path.key(name);
            if !self.skips(&missing) {
                self.refuse_missing(&missing, &place.origin);
                return true;
            }
        } else if !self.has_refused_inside(&place.path)
            && self.refuse(&place.path, &place.origin, message)
            && place.path != *root
        {
            return true;
        }
        self.skip_at_or_above(place.path, root)
    }

    /// Tells whether a fault at this path may come only from what is left out below it.
    fn has_refused_inside(&self, path: &Path) -> bool {
        self.skipped
            .borrow()
            .iter()
            .any(|refused| refused.is_inside(path))
    }

    fn skip_at_or_above(&self, mut path: Path, root: &Path) -> bool {
        while path != *root {
            if self.skipped.borrow_mut().insert(path.clone()) {
                return true;
            }
            match path.parent() {
                Some(parent) => path = parent,
                None => return false,
            }
        }
        false
    }
}

impl Notes for Reading<'_> {
    fn skips(&self, path: &Path) -> bool {
        Reading::skips(self, path)
    }

    fn refuse(&self, path: &Path, origin: &Origin, message: String) -> bool {
        Reading::refuse(self, path, origin, message)
    }

    fn resolved(&self, path: &Path, value: &Value) {
        self.resolved
            .borrow_mut()
            .insert(path.clone(), value.clone());
    }
}

fn gather_secrets(entry: &Entry, secrets: &mut Vec<String>) {
    match &entry.value {
        Value::Array(items) => items.iter().for_each(|item| gather_secrets(item, secrets)),
        Value::Table(table) => table
            .values()
            .for_each(|item| gather_secrets(item, secrets)),
        Value::String(text) | Value::Text(text) if entry.secret && !text.is_empty() => {
            let quoted = format!("{text:?}");
            secrets.extend([text.clone(), quoted[1..quoted.len() - 1].to_owned()]);
        }
        Value::Bool(_) => {}
        value if entry.secret => secrets.push(value.to_string()),
        _ => {}
    }
}
