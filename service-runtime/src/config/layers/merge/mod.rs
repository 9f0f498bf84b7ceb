//! Layers laid over each other, with every key held against what the sections know.

mod entries;
mod secrets;

use std::collections::BTreeSet;

use self::entries::{as_array, as_table, put};
use super::secret_files::{SecretFile, SecretFiles};
use crate::{
    config::{
        Collection, ConfigError, Entry, Field, Origin, Section, Table, Value, field, parse,
        path::Path, secret_names::SecretNames, tables,
    },
    near,
};

/// The tree as far as the layers so far have made it.
pub(crate) struct Merge<'a> {
    sections: &'a [Section],
    secret_names: SecretNames,
    root: Table,
    errors: Vec<ConfigError>,
    excused: BTreeSet<Path>,
    secrets: SecretFiles,
    /// Secrets that a variable has given.
    from_env: BTreeSet<Path>,
}

/// The whole tree.
pub(crate) struct Merged {
    /// Every section's table, defaults and all.
    pub(crate) root: Table,
    /// What is wrong.
    pub(crate) errors: Vec<ConfigError>,
    /// Options about which enough was said, should they be missing: they were misspelled.
    pub(crate) excused: BTreeSet<Path>,
    /// The files of one value that were read.
    pub(crate) secrets: Vec<SecretFile>,
}

/// How the keys of a layer are spelled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// As the sections spell them.
    Exact,
    /// As environment variables do, without case and dashes.
    Loose,
}

/// A table that is held against its fields.
struct Shape<'s> {
    fields: &'s [Field],
    reserved: &'s [crate::config::section::Reserved],
    path: Path,
    spelling: Spelling,
}

impl<'a> Merge<'a> {
    pub(crate) fn new(sections: &'a [Section], secrets: SecretFiles) -> Self {
        let (root, errors, excused, from_env) = Default::default();
        Self {
            sections,
            secret_names: SecretNames::of(sections),
            root,
            errors,
            excused,
            secrets,
            from_env,
        }
    }

    pub(crate) fn refuse(&mut self, error: ConfigError) {
        self.errors.push(error);
    }

    /// Lays a layer over those before it.
    pub(crate) fn lay(&mut self, layer: Table, spelling: Spelling) {
        for (name, entry) in layer {
            if let Some(section) = self.section(&name, spelling) {
                let shape = Shape {
                    fields: &section.fields,
                    reserved: &section.reserved,
                    path: Path::default().key(section.name()),
                    spelling,
                };
                if let Some(entry) = self.shape(&shape, entry) {
                    put(&mut self.root, section.name(), entry);
                }
            } else {
                self.refuse_table(&name, &entry);
            }
        }
    }

    /// Adds what nobody has set, and marks the secrets.
    pub(crate) fn finish(mut self) -> Merged {
        let mut root = std::mem::take(&mut self.root);
        for section in self.sections {
            let path = Path::default().key(section.name());
            let entry = root
                .entry(section.name().to_owned())
                .or_insert_with(|| Entry::new(Value::Table(Table::new()), Origin::Default));
            let Value::Table(table) = &mut entry.value else {
                continue;
            };
            self.fill(&section.fields, table, &path);
            for reserved in &section.reserved {
                if field::find(&section.fields, reserved.name, false).is_some() {
                    let message = "the name is the framework's; give the option another";
                    let error =
                        ConfigError::new(section.name(), reserved.name, &Origin::Default, message);
                    self.errors.push(error);
                }
                let Some(Value::Table(tables)) =
                    table.get_mut(reserved.name).map(|entry| &mut entry.value)
                else {
                    continue;
                };
                for (name, entry) in tables {
                    if let Value::Table(table) = &mut entry.value {
                        self.fill(&reserved.fields, table, &path.key(reserved.name).key(name));
                    }
                }
            }
        }
        Merged {
            root,
            errors: self.errors,
            excused: self.excused,
            secrets: self.secrets.into_files(),
        }
    }

    fn section(&self, name: &str, spelling: Spelling) -> Option<&'a Section> {
        let loose = spelling == Spelling::Loose;
        let same = |section: &&Section| field::loosened(section.name()) == field::loosened(name);
        let mut sections = self.sections.iter();
        let exact = sections.find(|section| section.name() == name);
        exact.or_else(|| self.sections.iter().filter(|_| loose).find(same))
    }

    fn refuse_table(&mut self, name: &str, entry: &Entry) {
        let known: Vec<_> = self.sections.iter().map(Section::name).collect();
        let what = match entry.value {
            Value::Table(_) => "unknown table",
            _ => "expected a table, since options stand in tables",
        };
        let message = near::with_known(what.to_owned(), name, &known);
        self.errors
            .push(ConfigError::new(name, "", &entry.origin, message));
    }

    /// Holds a table against its fields; what is wrong in it is noted and left out.
    fn shape(&mut self, shape: &Shape<'_>, entry: Entry) -> Option<Entry> {
        let Some(table) = as_table(&entry) else {
            let (table, key) = shape.path.table_and_key();
            let message = format!("expected a table, found {}", entry.value.kind());
            self.errors
                .push(ConfigError::new(&table, &key, &entry.origin, message));
            self.excused.insert(shape.path.clone());
            return None;
        };
        let mut shaped = Table::new();
        for (key, entry) in table {
            let origin = entry.origin.clone();
            if let Some((name, entry)) = self.place(shape, &key, entry)
                && shaped.insert(name.to_owned(), entry).is_some()
            {
                let (table, _) = shape.path.key(&key).table_and_key();
                let message = format!("given twice, under another name too: it is called `{name}`");
                self.errors
                    .push(ConfigError::new(&table, &key, &origin, message));
            }
        }
        Some(Entry {
            value: Value::Table(shaped),
            ..entry
        })
    }

    /// Finds the option of a key and shapes what is in it.
    fn place(
        &mut self,
        shape: &Shape<'_>,
        key: &str,
        entry: Entry,
    ) -> Option<(&'static str, Entry)> {
        let loose = shape.spelling == Spelling::Loose;
        if let Some(reserved) = shape.reserved.iter().find(|reserved| reserved.name == key) {
            let path = shape.path.key(key);
            let tables = Shape {
                fields: &[],
                reserved: &[],
                path,
                spelling: shape.spelling,
            };
            return Some((
                reserved.name,
                self.shape_each(&tables, &reserved.fields, entry)?,
            ));
        }
        let Some(field) = field::find(shape.fields, key, loose) else {
            if let Some(placed) = self.place_file(shape, key, &entry) {
                return placed;
            }
            self.refuse_key(shape, key, &entry);
            return None;
        };
        if loose && field.secret {
            self.from_env.insert(shape.path.key(field.name));
        }
        let Some(tables) = field.nested else {
            return Some((field.name, entry));
        };
        let inner = Shape {
            fields: tables.fields(),
            reserved: &[],
            path: shape.path.key(field.name),
            spelling: shape.spelling,
        };
        if tables.is_one() && tables.is_declared {
            return Some((field.name, self.shape(&inner, entry)?));
        }
        Some((field.name, self.shape_within(&inner, tables.within, entry)))
    }

    /// Shapes every table of lists and maps; what is none is left to its type to refuse.
    fn shape_within(&mut self, shape: &Shape<'_>, within: &[Collection], entry: Entry) -> Entry {
        let at = |path| Shape { path, ..*shape };
        match within.split_first() {
            None => match as_table(&entry) {
                Some(_) => self.shape(shape, entry.clone()).unwrap_or(entry),
                None => entry,
            },
            Some((Collection::List, rest)) => {
                let Some(items) = as_array(&entry) else {
                    return entry;
                };
                let items = items.into_iter().enumerate();
                let items =
                    items.map(|(n, item)| self.shape_within(&at(shape.path.index(n)), rest, item));
                let value = Value::Array(items.collect());
                Entry { value, ..entry }
            }
            Some((Collection::Map, rest)) => {
                let Some(table) = as_table(&entry) else {
                    return entry;
                };
                let items = table.into_iter().map(|(key, item)| {
                    let shape = at(shape.path.key(&key));
                    (key, self.shape_within(&shape, rest, item))
                });
                let value = Value::Table(items.collect());
                Entry { value, ..entry }
            }
        }
    }

    /// Shapes every table in a table of tables.
    fn shape_each(&mut self, outer: &Shape<'_>, fields: &[Field], entry: Entry) -> Option<Entry> {
        let Some(tables) = as_table(&entry) else {
            return self.shape(outer, entry);
        };
        let mut shaped = Table::new();
        for (name, entry) in tables {
            let path = outer.path.key(&name);
            let inner = Shape {
                fields,
                reserved: &[],
                path,
                spelling: outer.spelling,
            };
            if let Some(entry) = self.shape(&inner, entry) {
                shaped.insert(name, entry);
            }
        }
        Some(Entry {
            value: Value::Table(shaped),
            ..entry
        })
    }

    fn refuse_key(&mut self, shape: &Shape<'_>, key: &str, entry: &Entry) {
        let known: Vec<_> = (shape.fields.iter().map(|field| field.name))
            .chain(shape.reserved.iter().map(|reserved| reserved.name))
            .collect();
        if let Some(meant) = near::nearest(key, known.iter().copied()) {
            self.excused.insert(shape.path.key(meant));
        }
        let message = near::with_known("unknown key".to_owned(), key, &known);
        let (table, key) = shape.path.key(key).table_and_key();
        self.errors
            .push(ConfigError::new(&table, &key, &entry.origin, message));
    }

    /// Adds the defaults of the fields that are absent, and marks the secret ones.
    fn fill(&mut self, fields: &[Field], table: &mut Table, path: &Path) {
        for field in fields {
            let path = path.key(field.name);
            let default = self.default(field, &path);
            if let Some(default) = default
                && !table.contains_key(field.name)
                && !self.excused.contains(&path)
            {
                table.insert(field.name.to_owned(), default);
            }
            let Some(entry) = table.get_mut(field.name) else {
                continue;
            };
            if let Some(tables) = field.nested {
                let fields = tables.fields();
                let is_shaped =
                    tables::each_mut(tables.within, entry, &path, &mut |table, path| {
                        self.fill(fields, table, path);
                    });
                // What should have been a table with a secret may be the secret.
                if !is_shaped && field::any(fields, |field| field.secret) {
                    entry.hide();
                }
            } else if !field.is_plain() {
                self.secret_names.hide_in(entry);
            }
            if field.secret {
                entry.hide();
            }
        }
    }

    /// Reads the default of a field; a table that must be there is empty by default.
    fn default(&mut self, field: &Field, path: &Path) -> Option<Entry> {
        let Some(text) = field.default else {
            let empty = || Entry::new(Value::Table(Table::new()), Origin::Default);
            return (field.nested.is_some_and(|tables| tables.is_one()) && !field.optional)
                .then(empty);
        };
        match parse::value(text, &Origin::Default) {
            Ok(value) => Some(Entry::new(value, Origin::Default)),
            Err(message) => {
                let (table, key) = path.table_and_key();
                let message = format!("the default is no TOML value: {message}");
                self.errors
                    .push(ConfigError::new(&table, &key, &Origin::Default, message));
                self.excused.insert(path.clone());
                None
            }
        }
    }
}
