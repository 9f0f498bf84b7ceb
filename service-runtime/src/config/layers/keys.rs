//! Keys with dots in them: the tree that they stand for, and the text of `--set`.

use crate::config::{ConfigError, Entry, Origin, Table, Value};

/// Makes the tree that holds one value at the end of its keys.
pub(super) fn nest<'k>(
    mut keys: impl Iterator<Item = &'k str>,
    value: Value,
    origin: &Origin,
) -> Table {
    let Some(key) = keys.next() else {
        return Table::new();
    };
    let rest: Vec<_> = keys.collect();
    let value = match rest.is_empty() {
        true => value,
        false => Value::Table(nest(rest.into_iter(), value, origin)),
    };
    Table::from([(key.to_owned(), Entry::new(value, origin.clone()))])
}

/// Splits `a.b=value`; the text is in no message, since a slip may have put a secret into the key.
pub(super) fn split_set(text: &str) -> Result<(&str, &str), ConfigError> {
    let wrong = || {
        let named = text.split(['=', ' ']).next().unwrap_or_default();
        ConfigError::new(
            "",
            "",
            &Origin::set(named),
            "expected `--set section.key=value`",
        )
    };
    let (key, value) = text.split_once('=').ok_or_else(wrong)?;
    let key = key.trim();
    if key.split('.').any(str::is_empty) {
        return Err(wrong());
    }
    Ok((key, value))
}
