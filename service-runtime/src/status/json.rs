//! Rows as JSON: an object with the values, what there is one of, and a list of each kind of which there
//! may be many.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::program_status::ProgramStatus;
use super::row::{Row, Value};

impl Serialize for ProgramStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        WithState(&self.row()).serialize(serializer)
    }
}

impl Row {
    /// Writes the row with its label as `state`, and all below it.
    pub(super) fn json(&self) -> String {
        to_string(&WithState(self))
    }

    /// Writes what is below the row, as an object.
    pub(super) fn json_below(&self) -> String {
        to_string(self)
    }
}

fn to_string(value: &impl Serialize) -> String {
    // Keys are text and numbers are finite, so only the memory could be short, which ends the process.
    serde_json::to_string(value).unwrap_or_default()
}

/// The first row of a report.
struct WithState<'a>(&'a Row);

impl Serialize for WithState<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("state", &self.0.label)?;
        entries(self.0, &mut map)?;
        map.end()
    }
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        entries(self, &mut map)?;
        map.end()
    }
}

fn entries<M: SerializeMap>(row: &Row, map: &mut M) -> Result<(), M::Error> {
    for (name, value) in &row.fields {
        map.serialize_entry(name, value)?;
    }
    let mut plurals: Vec<&str> = Vec::new();
    for row in &row.rows {
        if row.plural.is_empty() {
            map.serialize_entry(&row.label, row)?;
        } else if !plurals.contains(&row.plural) {
            plurals.push(row.plural);
        }
    }
    for plural in plurals {
        let many = row.rows.iter().filter(|row| row.plural == plural);
        map.serialize_entry(plural, &many.collect::<Vec<_>>())?;
    }
    if let Some(written) = &row.written {
        // It comes from a worker, which runs code of the author's: what is no object is not passed on.
        match serde_json::from_str::<BTreeMap<String, &RawValue>>(written) {
            Ok(part) => {
                for (name, value) in part {
                    map.serialize_entry(&name, value)?;
                }
            }
            Err(_) => map.serialize_entry("answer", "unreadable")?,
        }
    }
    Ok(())
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Toml(text) => match as_json(text) {
                Some(value) => value.serialize(serializer),
                None => serializer.serialize_str(text),
            },
            Self::Number(number) => serializer.serialize_u64(*number),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Time(time) => {
                let millis = (time.as_secs_f64() * 1000.0).round();
                serializer.serialize_f64(millis / 1000.0)
            }
            Self::Nothing => serializer.serialize_none(),
        }
    }
}

/// Returns the value of a configuration file as JSON if both write it the same way: strings, switches and
/// whole numbers.
fn as_json(text: &str) -> Option<serde_json::Value> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    (value.is_string() || value.is_boolean() || value.is_i64()).then_some(value)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn worker(slot: usize, written: String) -> Row {
        Row::of_many("worker", "workers")
            .with("slot", slot)
            .with("error", None::<String>)
            .written(written)
    }

    fn report() -> serde_json::Value {
        let tasks = Row::default().rows([Row::of_many("task", "tasks").with("name", "a b")]);
        let row = Row::one("report")
            .with("what", "says \"so\"\n")
            .with("word", Value::Toml("\"a\\tb\"".to_owned()))
            .with("list", Value::Toml("[1]".to_owned()))
            .rows([
                worker(0, tasks.json_below()),
                worker(1, "\"tasks\":[".to_owned()),
            ])
            .rows([Row::one("program")
                .with("uptime", Duration::from_micros(1_500_400))
                .with("init", true)]);
        serde_json::from_str(&row.json()).unwrap()
    }

    #[test]
    fn json_is_one_object_with_lists_of_what_there_are_many_of() {
        let json = report();
        assert_eq!(json["state"], "report");
        assert_eq!(json["what"], "says \"so\"\n");
        assert_eq!(
            (&json["word"], &json["list"]),
            (&"a\tb".into(), &"[1]".into())
        );
        assert_eq!(json["program"]["uptime"], 1.5);
        assert_eq!(json["workers"][1]["slot"], 1);
        assert!(json["workers"][1]["error"].is_null());
        assert_eq!(json["workers"][0]["tasks"][0]["name"], "a b");
    }

    #[test]
    fn a_part_that_is_no_object_does_not_break_the_report() {
        assert_eq!(report()["workers"][1]["answer"], "unreadable");
    }
}
