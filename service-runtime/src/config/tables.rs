//! The tables of one option: itself, or the items of its lists and maps.

use super::{Collection, Entry, Table, Value, path::Path};

/// Calls `visit` with each table of an option and the way to it.
///
/// What is no table, list or map where one is expected is left out: its type refuses it.
pub(crate) fn each<'a>(
    within: &[Collection],
    entry: &'a Entry,
    path: &Path,
    visit: &mut dyn FnMut(&'a Entry, &'a Table, &Path),
) {
    match (within.split_first(), &entry.value) {
        (None, Value::Table(table)) => visit(entry, table, path),
        (Some((Collection::List, rest)), Value::Array(items)) => {
            for (n, item) in items.iter().enumerate() {
                each(rest, item, &path.index(n), visit);
            }
        }
        (Some((Collection::Map, rest)), Value::Table(table)) => {
            for (key, item) in table {
                each(rest, item, &path.key(key), visit);
            }
        }
        _ => {}
    }
}

/// As [`each`], with tables that can be changed; returns whether all were of the shape that is expected.
pub(crate) fn each_mut(
    within: &[Collection],
    entry: &mut Entry,
    path: &Path,
    visit: &mut dyn FnMut(&mut Table, &Path),
) -> bool {
    let mut is_shaped = true;
    match (within.split_first(), &mut entry.value) {
        (None, Value::Table(table)) => visit(table, path),
        (Some((Collection::List, rest)), Value::Array(items)) => {
            for (n, item) in items.iter_mut().enumerate() {
                is_shaped &= each_mut(rest, item, &path.index(n), visit);
            }
        }
        (Some((Collection::Map, rest)), Value::Table(table)) => {
            for (key, item) in table {
                is_shaped &= each_mut(rest, item, &path.key(key), visit);
            }
        }
        _ => return false,
    }
    is_shaped
}
