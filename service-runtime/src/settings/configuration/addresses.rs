//! The addresses that services listen on, as far as the configuration tells them.

use crate::config::{ConfigError, ConfigErrors, Entry, Section, Snapshot, Value, list_in};
use crate::error_chain::chain;
use crate::listen::{Address, Place};

/// Returns what is wrong with the addresses of all sections: those that cannot be read, and those that are
/// used twice, of which each client would find one listener or the other.
pub(super) fn check(snapshot: &Snapshot, sections: &[Section]) -> Vec<ConfigError> {
    let mut errors = Vec::new();
    let mut used: Vec<(Place, Address, String, &str)> = Vec::new();
    for section in sections {
        for key in section.addresses {
            let Some(entry) = snapshot
                .table(section.name())
                .and_then(|table| table.get(*key))
            else {
                continue;
            };
            for (entry, text) in texts(entry) {
                let mut refuse = |message: String| {
                    errors.extend(ConfigErrors::at(
                        section.name(),
                        key,
                        entry.origin(),
                        message,
                    ));
                };
                let address: Address = match text.parse() {
                    Ok(address) => address,
                    Err(error) => {
                        refuse(chain(&error));
                        continue;
                    }
                };
                let Some(place) = Place::of(&address) else {
                    continue;
                };
                let mut others = used.iter();
                if let Some((_, other, table, name)) =
                    others.find(|(other, ..)| place.conflicts(other))
                {
                    refuse(match *other == address {
                        true => format!("`{address}` is the address of [{table}] {name} already"),
                        false => format!(
                            "`{address}` and `{other}`, the address of [{table}] {name}, cannot both be \
                             listened on"
                        ),
                    });
                }
                used.push((place, address, section.name().to_owned(), *key));
            }
        }
    }
    errors
}

/// Returns the addresses of an option: one, or a list of them.
fn texts(entry: &Entry) -> Vec<(&Entry, String)> {
    let of = |value: &Value| value.as_str().map(str::to_owned);
    let list = match entry.value() {
        // A list that a variable or `--set` gives is text still.
        Value::Text(text) | Value::String(text) => list_in(text),
        _ => None,
    };
    match (entry.value(), &list) {
        (Value::Array(items), _) => items
            .iter()
            .filter_map(|item| Some((item, of(item.value())?)))
            .collect(),
        (_, Some(Value::Array(items))) => items
            .iter()
            .filter_map(|item| Some((entry, of(item.value())?)))
            .collect(),
        (value, _) => of(value).map(|text| (entry, text)).into_iter().collect(),
    }
}
