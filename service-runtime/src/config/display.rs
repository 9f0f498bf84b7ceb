//! Values written as TOML, on one line each, with secrets masked.

use std::fmt::{self, Write};

use super::{Entry, MASK, Value};
use crate::quote::Quoted;

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        value(f, self)
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        entry(f, self)
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} ({})", self.origin)
    }
}

/// Writes an entry as TOML; a secret one as a string of stars.
fn entry(f: &mut dyn Write, entry: &Entry) -> fmt::Result {
    if entry.secret {
        write!(f, "{}", Quoted(MASK))
    } else {
        value(f, &entry.value)
    }
}

/// Writes a value as TOML; secrets inside it are masked.
fn value(f: &mut dyn Write, value: &Value) -> fmt::Result {
    match value {
        Value::Bool(value) => write!(f, "{value}"),
        Value::Integer(value) => write!(f, "{value}"),
        Value::Float(value) => float(f, *value),
        Value::String(text) | Value::Text(text) => write!(f, "{}", Quoted(text)),
        Value::Array(items) => {
            f.write_char('[')?;
            for (n, item) in items.iter().enumerate() {
                f.write_str(if n == 0 { "" } else { ", " })?;
                entry(f, item)?;
            }
            f.write_char(']')
        }
        Value::Table(table) => {
            f.write_char('{')?;
            for (n, (name, item)) in table.iter().enumerate() {
                f.write_str(if n == 0 { " " } else { ", " })?;
                write!(f, "{} = ", key(name))?;
                entry(f, item)?;
            }
            f.write_str(if table.is_empty() { "}" } else { " }" })
        }
    }
}

/// Returns a key as it is written in TOML, quoted if it must be.
pub(crate) fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(bare) {
        return name.to_owned();
    }
    Quoted(name).to_string()
}

/// Rust writes `1` for the float 1.0 and `NaN`; TOML wants `1.0` and `nan`.
fn float(f: &mut dyn Write, value: f64) -> fmt::Result {
    match value {
        value if value.is_nan() => f.write_str("nan"),
        value if value.is_infinite() => f.write_str(if value > 0.0 { "inf" } else { "-inf" }),
        value => write!(f, "{value:?}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::{Origin, parse};

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::Bool),
            any::<i128>().prop_map(Value::Integer),
            prop::num::f64::NORMAL.prop_map(Value::Float),
            any::<String>().prop_map(Value::String),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            let entry = inner.prop_map(|value| Entry::new(value, Origin::Default));
            prop_oneof![
                prop::collection::vec(entry.clone(), 0..4).prop_map(Value::Array),
                prop::collection::btree_map(any::<String>(), entry, 0..4).prop_map(Value::Table),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_as_the_same_value(value in values()) {
            let text = value.to_string();
            prop_assert!(!text.contains('\n'));
            prop_assert_eq!(parse::value(&text, &Origin::Default).expect("own TOML"), value);
        }
    }

    #[test]
    fn a_secret_inside_an_array_is_masked() {
        let mut hidden = Entry::new("hunter2", Origin::Default);
        hidden.hide();
        assert_eq!(Value::Array(vec![hidden]).to_string(), r#"["***"]"#);
    }
}
