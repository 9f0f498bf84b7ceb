//! `--print-config`: every effective value and where it comes from.

use std::fmt::Write;

use super::{Field, MASK, Section, Snapshot, Table, Value, display, field::Tables};

/// Writes every effective value of the sections as TOML, with its origin in a comment.
///
/// The text is a configuration file of the same values, but for secrets: their lines are comments with a
/// mask, as are the names of options that are not set.
pub(crate) fn print_config(snapshot: &Snapshot, sections: &[Section]) -> String {
    let mut out = String::new();
    for section in sections {
        let Some(table) = snapshot.table(section.name()) else {
            continue;
        };
        let path = display::key(section.name());
        // The header stands even over nothing, to show that the program knows the section.
        let _ = writeln!(out, "{}[{path}]", if out.is_empty() { "" } else { "\n" });
        print_table(&mut out, table, &section.fields, &path);
    }
    out
}

fn print_table(out: &mut String, table: &Table, fields: &[Field], path: &str) {
    let known = fields.iter().map(|field| field.name);
    let others = table
        .keys()
        .map(String::as_str)
        .filter(|key| !fields.iter().any(|f| f.name == *key));
    let mut tables = Vec::new();
    for key in known.chain(others) {
        let nested = fields
            .iter()
            .find(|field| field.name == key)
            .and_then(|field| field.nested)
            .filter(Tables::is_one)
            .map_or(&[][..], |tables| tables.fields());
        let name = display::key(key);
        match table.get(key) {
            None => {
                let _ = writeln!(out, "# {name} is not set");
            }
            Some(entry) if entry.secret => {
                let _ = writeln!(out, "# {name} = {:?}  # {}", MASK, entry.origin);
            }
            Some(entry) => match &entry.value {
                Value::Table(inner) => tables.push((name, inner, nested)),
                // It cannot be read back: a mask stands in it.
                _ if entry.holds_secret() => {
                    let _ = writeln!(out, "# {name} = {entry}  # {}", entry.origin);
                }
                _ => {
                    let _ = writeln!(out, "{name} = {entry}  # {}", entry.origin);
                }
            },
        }
    }
    for (name, inner, fields) in tables {
        let path = format!("{path}.{name}");
        let _ = writeln!(out, "\n[{path}]");
        print_table(out, inner, fields, &path);
    }
}
