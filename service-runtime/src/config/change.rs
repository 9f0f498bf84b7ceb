//! What changes while the program runs, and what would need a restart.

use std::{collections::BTreeSet, fmt};

use super::{Entry, Field, Section, Snapshot, Table, Value, display, field, range::Measure};

/// An option whose value differs between two snapshots.
///
/// `Display` is one line: `[greeter] greeting: "hello" -> "hi" (hello.toml:3)`, secrets masked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Change {
    section: String,
    pub(super) key: String,
    old: Option<Entry>,
    new: Option<Entry>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |f: &mut fmt::Formatter<'_>, entry: &Option<Entry>| match entry {
            Some(entry) => write!(f, "{entry}"),
            None => f.write_str("not set"),
        };
        write!(f, "[{}] {}: ", self.section, display::key(&self.key))?;
        show(f, &self.old)?;
        f.write_str(" -> ")?;
        show(f, &self.new)?;
        match &self.new {
            Some(entry) => write!(f, " ({})", entry.origin),
            None => Ok(()),
        }
    }
}

/// All options that differ between two snapshots.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Changes {
    applied: Vec<Change>,
    refused: Vec<Change>,
}

impl Changes {
    /// Returns the changes of mutable options, which were taken over.
    pub(crate) fn applied(&self) -> &[Change] {
        &self.applied
    }

    /// Returns the changes that need a restart, and were not taken over.
    pub(crate) fn refused(&self) -> &[Change] {
        &self.refused
    }
}

/// Writes a line for each change; those that were refused say that they need a restart.
impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let applied = self.applied.iter().map(|change| (change, ""));
        let refused = self
            .refused
            .iter()
            .map(|change| (change, ": needs a restart"));
        for (n, (change, note)) in applied.chain(refused).enumerate() {
            f.write_str(if n == 0 { "" } else { "\n" })?;
            write!(f, "{change}{note}")?;
        }
        Ok(())
    }
}

impl Snapshot {
    /// Takes the mutable options of a newer snapshot, and says what else is different.
    ///
    /// An option that is no longer set goes back to its default, which the newer snapshot holds. The
    /// result mixes two snapshots that were each checked as a whole; where options depend on each other,
    /// [`validate`](Self::validate) it before use.
    pub(crate) fn mutate(&self, newer: &Self, sections: &[Section]) -> (Self, Changes) {
        let (mut root, mut changes) = (self.root().clone(), Changes::default());
        let empty = Table::new();
        for section in sections {
            let name = section.name();
            let new = newer.table(name).unwrap_or(&empty);
            let Some(Value::Table(table)) = root.get_mut(name).map(|entry| &mut entry.value) else {
                continue;
            };
            changes.join(&section.fields, table, new, name, false);
            for reserved in &section.reserved {
                let path = format!("{name}.{}", reserved.name);
                changes.join_each(&reserved.fields, table, new, reserved.name, &path);
            }
        }
        (self.with_root(root), changes)
    }
}

impl Changes {
    /// Takes the mutable fields of `new` into `table`; `all` if the whole table is mutable.
    fn join(&mut self, fields: &[Field], table: &mut Table, new: &Table, path: &str, all: bool) {
        for field in fields {
            let mutable = all || field.mutable;
            match (
                field.nested,
                table.get_mut(field.name).map(|entry| &mut entry.value),
                new.get(field.name),
            ) {
                (
                    Some(tables),
                    Some(Value::Table(old)),
                    Some(Entry {
                        value: Value::Table(new),
                        ..
                    }),
                ) if tables.is_one() => {
                    let path = format!("{path}.{}", field.name);
                    self.join(tables.fields(), old, new, &path, mutable);
                }
                (Some(tables), _, new) => {
                    let mutable = mutable || is_all_mutable(tables.fields());
                    self.take(field, table, new, path, mutable);
                }
                (None, _, new) => self.take(field, table, new, path, mutable),
            }
        }
    }

    /// Joins every table in a table of tables, on whichever side it is.
    fn join_each(
        &mut self,
        fields: &[Field],
        table: &mut Table,
        new: &Table,
        key: &str,
        path: &str,
    ) {
        let empty = Table::new();
        let newer = new
            .get(key)
            .and_then(|entry| entry.value.as_table())
            .unwrap_or(&empty);
        if !table.contains_key(key) {
            let Some(entry) = new.get(key) else { return };
            table.insert(
                key.to_owned(),
                Entry::new(Value::Table(Table::new()), entry.origin.clone()),
            );
        }
        let Some(Value::Table(tables)) = table.get_mut(key).map(|entry| &mut entry.value) else {
            return;
        };
        let names: BTreeSet<String> = tables.keys().chain(newer.keys()).cloned().collect();
        for name in names {
            let new = newer
                .get(&name)
                .and_then(|entry| entry.value.as_table())
                .unwrap_or(&empty);
            let origin = newer
                .get(&name)
                .or(tables.get(&name))
                .map(|entry| entry.origin.clone());
            let entry = tables.entry(name.clone()).or_insert_with(|| {
                Entry::new(
                    Value::Table(Table::new()),
                    origin.expect("the name is on one side"),
                )
            });
            if let Value::Table(table) = &mut entry.value {
                self.join(fields, table, new, &format!("{path}.{name}"), false);
            }
        }
    }

    fn take(
        &mut self,
        field: &Field,
        table: &mut Table,
        new: Option<&Entry>,
        path: &str,
        mutable: bool,
    ) {
        let old = table.get(field.name);
        let same = match (old, new) {
            (Some(old), Some(new)) => is_same(field, &old.value, &new.value),
            (old, new) => old.is_none() && new.is_none(),
        };
        if !same {
            let (section, key) = (path.to_owned(), field.name.to_owned());
            let change = Change {
                section,
                key,
                old: old.cloned(),
                new: new.cloned(),
            };
            if !mutable {
                return self.refused.push(change);
            }
            self.applied.push(change);
        }
        // The same value may stand on another line now.
        match new {
            Some(new) => table.insert(field.name.to_owned(), new.clone()),
            None => table.remove(field.name),
        };
    }
}

/// Tells whether two values mean the same: `60s` and `1m` do.
fn is_same(field: &Field, old: &Value, new: &Value) -> bool {
    let measure = |value| Measure::of(field, value);
    old.is_same(new) || measure(old).is_some_and(|old| Some(old) == measure(new))
}

fn is_all_mutable(fields: &'static [Field]) -> bool {
    !field::any(fields, |field| field.nested.is_none() && !field.mutable)
}
