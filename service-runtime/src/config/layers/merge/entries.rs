//! Entries as tables and arrays, and how one is laid over another.

use crate::config::de::text;
use crate::config::{Entry, Table, Value};

/// Returns the entries of a table, or of text that is one in TOML syntax.
pub(super) fn as_table(entry: &Entry) -> Option<Table> {
    match &entry.value {
        Value::Table(table) => Some(table.clone()),
        Value::Text(text) => {
            let value = text::bracketed(text, '{')?;
            let mut parsed = Entry::new(value, entry.origin.clone());
            parsed.adopt(entry);
            parsed.value.as_table().cloned()
        }
        _ => None,
    }
}

/// Returns the items of an array, or of text that is one in TOML syntax.
pub(super) fn as_array(entry: &Entry) -> Option<Vec<Entry>> {
    match &entry.value {
        Value::Array(items) => Some(items.clone()),
        Value::Text(text) => {
            let value = text::bracketed(text, '[')?;
            let mut parsed = Entry::new(value, entry.origin.clone());
            parsed.adopt(entry);
            match parsed.value {
                Value::Array(items) => Some(items),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Lays an entry over the one of its name; tables are joined key by key.
pub(super) fn put(table: &mut Table, name: &str, newer: Entry) {
    match (table.get_mut(name), newer) {
        (
            Some(Entry {
                value: Value::Table(older),
                origin,
                ..
            }),
            Entry {
                value: Value::Table(newer),
                origin: newest,
                ..
            },
        ) => {
            *origin = newest;
            for (key, entry) in newer {
                put(older, &key, entry);
            }
        }
        (_, newer) => {
            table.insert(name.to_owned(), newer);
        }
    }
}
