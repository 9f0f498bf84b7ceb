//! TOML text read into the tree of values, each with the line of its key.

use std::{ops::Range, path::Path, sync::Arc};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{ConfigError, Entry, Origin, Table, Value};

/// Reads a whole file.
///
/// # Errors
///
/// Returns the first error of the TOML, with line and column.
pub(crate) fn file(path: &Arc<Path>, text: &str) -> Result<Table, ConfigError> {
    let lines = Lines::new(text);
    let place = Source::File(path, &lines);
    let wrong = |message: &str, at: usize| {
        let origin = Origin::File {
            path: path.clone(),
            line: lines.line(at),
        };
        let one_line = message.split_whitespace().collect::<Vec<_>>().join(" ");
        ConfigError::new("", "", &origin, format!("broken TOML: {one_line}"))
            .with_column(lines.column(text, at))
    };
    let document = DeTable::parse(text)
        .map_err(|error| wrong(error.message(), error.span().map_or(0, |span| span.start)))?;
    table(document.get_ref(), place).map_err(|error| wrong(error.message, error.span.start))
}

/// Reads one value, as it stands on the right of a key.
///
/// # Errors
///
/// Returns the parser's message, which has nothing of the text in it.
pub(crate) fn value(text: &str, origin: &Origin) -> Result<Value, String> {
    let parsed = DeValue::parse(text.trim()).map_err(|error| error.message().to_owned())?;
    entry(&parsed, Source::Fixed(origin), parsed.span())
        .map(|entry| entry.value)
        .map_err(|error| error.message.to_owned())
}

/// What the origin of an entry is made from.
#[derive(Clone, Copy)]
enum Source<'a> {
    File(&'a Arc<Path>, &'a Lines),
    Fixed(&'a Origin),
}

impl Source<'_> {
    fn origin(self, span: &Range<usize>) -> Origin {
        match self {
            Self::File(path, lines) => Origin::File {
                path: path.clone(),
                line: lines.line(span.start),
            },
            Self::Fixed(origin) => origin.clone(),
        }
    }
}

/// A number that TOML's grammar lets through and no type of ours can hold.
struct NumberError {
    message: &'static str,
    span: Range<usize>,
}

fn table(parsed: &DeTable<'_>, place: Source<'_>) -> Result<Table, NumberError> {
    let named = parsed.iter().map(|(key, value)| {
        Ok((
            key.get_ref().clone().into_owned(),
            entry(value, place, key.span())?,
        ))
    });
    named.collect()
}

fn entry(
    parsed: &Spanned<DeValue<'_>>,
    place: Source<'_>,
    key: Range<usize>,
) -> Result<Entry, NumberError> {
    let wrong = |message| NumberError {
        message,
        span: parsed.span(),
    };
    let value = match parsed.get_ref() {
        DeValue::String(text) => Value::String(text.clone().into_owned()),
        DeValue::Integer(number) => Value::Integer(
            i128::from_str_radix(number.as_str(), number.radix())
                .map_err(|_| wrong("the integer is too large"))?,
        ),
        DeValue::Float(number) => Value::Float(
            number
                .as_str()
                .parse()
                .map_err(|_| wrong("the float cannot be read"))?,
        ),
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Datetime(date) => Value::String(date.to_string()),
        DeValue::Array(items) => Value::Array(
            items
                .iter()
                .map(|item| entry(item, place, item.span()))
                .collect::<Result<_, _>>()?,
        ),
        DeValue::Table(inner) => Value::Table(table(inner, place)?),
    };
    Ok(Entry::new(value, place.origin(&key)))
}

/// The offsets at which the lines of a text begin.
struct Lines(Vec<usize>);

impl Lines {
    fn new(text: &str) -> Self {
        let after = text
            .bytes()
            .enumerate()
            .filter(|(_, byte)| *byte == b'\n')
            .map(|(at, _)| at + 1);
        Self(std::iter::once(0).chain(after).collect())
    }

    /// Returns the line of an offset, counted from 1.
    fn line(&self, offset: usize) -> usize {
        self.0.partition_point(|start| *start <= offset)
    }

    /// Returns the column of an offset in characters, counted from 1.
    fn column(&self, text: &str, offset: usize) -> usize {
        let start = self.0[self.line(offset) - 1];
        text.get(start..offset)
            .map_or(0, |before| before.chars().count())
            + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Table, ConfigError> {
        file(&Path::new("a.toml").into(), text)
    }

    #[test]
    fn every_entry_knows_the_line_of_its_key() {
        let tables = read("# top\n[a]\nx = 1\n\n[a.b]\ny = [\n 1,\n 2,\n]\n").unwrap();
        let line = |entry: &Entry| entry.origin().to_string();
        let a = tables["a"].value().as_table().unwrap();
        assert_eq!(line(&a["x"]), "a.toml:3");
        let y = &a["b"].value().as_table().unwrap()["y"];
        assert_eq!(line(y), "a.toml:6");
        let Value::Array(items) = y.value() else {
            panic!("not an array: {y}")
        };
        assert_eq!(line(&items[1]), "a.toml:8");
    }

    #[test]
    fn broken_toml_is_one_line_with_line_and_column() {
        let error = read("[a]\nx = 1\nyé = = 2\n").unwrap_err().to_string();
        assert!(error.starts_with("a.toml:3:"), "{error}");
        assert!(error.contains("broken TOML: "), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }

    #[test]
    fn the_column_counts_characters() {
        let error = read("x = \"é\" y\n").unwrap_err().to_string();
        assert!(error.starts_with("a.toml:1:9: "), "{error}");
    }

    #[test]
    fn a_key_given_twice_is_an_error_at_the_second() {
        let error = read("[a]\nx = 1\nx = 2\n").unwrap_err().to_string();
        assert!(error.starts_with("a.toml:3:1: "), "{error}");
    }

    #[test]
    fn an_integer_beyond_all_types_is_an_error_with_its_place() {
        let error = read(&format!("x = 1{}\n", "0".repeat(60)))
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("a.toml:1:5: "), "{error}");
    }
}
