//! The names of all secrets of a program, for values of which nothing else is known.
//!
//! An option whose type is not described (an enum, a type with a `Deserialize` of its own, a list of either)
//! may hold a struct that derives `Config` all the same. Whatever stands in it under the name of a secret of
//! any such struct is taken for that secret: rather one value too many is masked than one too few.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::{Entry, Field, Section, Value, de::text, field};

/// The options of a struct with a secret; `#[derive(Config)]` registers it at link time.
pub struct Secrets(pub fn() -> &'static [Field]);

inventory::collect!(Secrets);

/// Names under which secrets stand, without case and dashes.
#[derive(Default)]
pub(crate) struct SecretNames(BTreeSet<String>);

impl SecretNames {
    /// Gathers the names of the sections and of every struct that was registered.
    pub(crate) fn of(sections: &[Section]) -> Self {
        static REGISTERED: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
            let mut names = BTreeSet::new();
            for Secrets(fields) in inventory::iter::<Secrets> {
                gather(fields(), &mut names, &mut Vec::new());
            }
            names
        });
        let mut names = REGISTERED.clone();
        for section in sections {
            let reserved = section.reserved.iter().map(|reserved| &*reserved.fields);
            for fields in reserved.chain([&*section.fields]) {
                gather(fields, &mut names, &mut Vec::new());
            }
        }
        Self(names)
    }

    /// Marks what stands under the name of a secret, at any depth; text that may hold such a name is
    /// marked as a whole. Returns whether there was any.
    pub(crate) fn hide_in(&self, entry: &mut Entry) -> bool {
        match &mut entry.value {
            Value::Table(table) => {
                let mut found = false;
                for (key, inner) in table {
                    if self.0.contains(&field::loosened(key)) {
                        inner.hide();
                        found = true;
                    } else {
                        found |= self.hide_in(inner);
                    }
                }
                found
            }
            Value::Array(items) => items
                .iter_mut()
                .map(|item| self.hide_in(item))
                .fold(false, |found, hidden| found | hidden),
            Value::String(text) | Value::Text(text) => {
                let holds = self.are_in(text);
                if holds {
                    entry.hide();
                }
                holds
            }
            _ => false,
        }
    }

    /// Tells whether a text in brackets names a secret, whether it can be read or not.
    fn are_in(&self, text: &str) -> bool {
        let start = text.trim_start();
        let Some(bracket) = start.chars().next().filter(|first| "[{".contains(*first)) else {
            return false;
        };
        match text::bracketed(text, bracket) {
            Some(value) => self.hide_in(&mut Entry::new(value, super::Origin::Default)),
            None => {
                let text = field::loosened(start);
                self.0.iter().any(|name| text.contains(name))
            }
        }
    }
}

fn gather(fields: &[Field], names: &mut BTreeSet<String>, seen: &mut Vec<*const Field>) {
    // A type may hold itself.
    if seen.contains(&fields.as_ptr()) {
        return;
    }
    seen.push(fields.as_ptr());
    for field in fields {
        if field.secret {
            let all = [field.name]
                .into_iter()
                .chain(field.aliases.iter().copied());
            names.extend(all.map(field::loosened));
        }
        if let Some(tables) = field.nested {
            gather(tables.fields(), names, seen);
        }
    }
}
