//! What a `Deserialize` of the author's had to say against a value.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

use crate::{
    config::{Entry, MASK, Origin, credentials::without_credentials, path::Path},
    near,
};

/// An error of a `Deserialize`, with the place it is about once that is known.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    pub(crate) place: Option<Box<Location>>,
}

/// Where a fault lies and what stands there.
#[derive(Debug)]
pub(crate) struct Location {
    pub(crate) path: Path,
    pub(crate) origin: Origin,
    secret: bool,
    found: Option<String>,
}

/// What is wrong.
#[derive(Debug)]
pub(crate) enum Kind {
    /// A key that the type must have is not there.
    Missing(&'static str),
    /// The value is of a wrong type or out of its bounds.
    Expected(String),
    /// The value has a wrong number of items.
    Length(usize, String),
    /// The name is none of those that the type knows.
    Unknown(&'static str, String, &'static [&'static str]),
    /// The author's own words.
    Custom(String),
}

impl Fault {
    pub(crate) fn expected(what: impl Into<String>) -> Self {
        Self {
            kind: Kind::Expected(what.into()),
            place: None,
        }
    }

    /// Gives the fault its place; the innermost place that is offered stays.
    pub(crate) fn or_at(mut self, path: &Path, entry: &Entry) -> Self {
        self.place.get_or_insert_with(|| {
            Box::new(Location {
                path: path.clone(),
                origin: entry.origin.clone(),
                secret: entry.secret,
                found: entry.value.as_table().is_none().then(|| entry.found()),
            })
        });
        self
    }

    /// Says what is wrong in one line; `secrets` are the texts that must not be in it.
    pub(crate) fn message(&self, secrets: &[String]) -> String {
        let secret = self.place.as_ref().is_some_and(|place| place.secret);
        let found = self.place.as_ref().and_then(|place| place.found.as_deref());
        let and_found = found
            .map(|found| format!(", found {found}"))
            .unwrap_or_default();
        let message = match &self.kind {
            Kind::Missing(name) => format!("key `{name}` is missing"),
            Kind::Expected(what) => format!("expected {what}, found {}", found.unwrap_or("table")),
            Kind::Length(length, what) => format!("expected {what}, found {length} items"),
            Kind::Unknown(_, _, known) if secret => {
                format!("expected one of {}, found {MASK}", near::list(known))
            }
            Kind::Unknown(what, name, known) => {
                near::with_known(format!("unknown {what} `{name}`"), name, known)
            }
            Kind::Custom(_) if secret => {
                "the value was refused; why is withheld, since the option is secret".to_owned()
            }
            Kind::Custom(text) => {
                let mask = |text: String, secret: &String| text.replace(secret.as_str(), MASK);
                format!("{}{and_found}", secrets.iter().fold(text.clone(), mask))
            }
        };
        without_credentials(&message)
            .split('\n')
            .map(str::trim)
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// Says in an operator's words what serde says in a programmer's.
fn plain_words(expected: &dyn Expected) -> String {
    let text = expected.to_string();
    let (kind, from) = match text.strip_prefix("a nonzero ") {
        Some(kind) => (kind, 1),
        None => (text.as_str(), 0),
    };
    let unsigned = |bits: u32| match bits {
        0..=32 => format!("an integer from {from} to {}", (1u64 << bits) - 1),
        _ => format!("an integer, at least {from}"),
    };
    let signed = |bits: u32| match bits {
        0..=32 => format!(
            "an integer from {} to {}",
            -(1i64 << (bits - 1)),
            (1i64 << (bits - 1)) - 1
        ),
        _ => "an integer".to_owned(),
    };
    match kind {
        "u8" => unsigned(8),
        "u16" => unsigned(16),
        "u32" => unsigned(32),
        "u64" | "u128" | "usize" => unsigned(64),
        "i8" => signed(8),
        "i16" => signed(16),
        "i32" => signed(32),
        "i64" | "i128" | "isize" => signed(64),
        "f32" | "f64" => "a number".to_owned(),
        "a boolean" => "`true` or `false`".to_owned(),
        "path string" => "a path".to_owned(),
        "a sequence" => "an array such as `[\"a\", \"b\"]`".to_owned(),
        "a map" => "a table".to_owned(),
        kind if kind.starts_with("struct ") => "a table".to_owned(),
        _ => text,
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message(&[]))
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self {
            kind: Kind::Custom(text.to_string()),
            place: None,
        }
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::expected(plain_words(expected))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::expected(plain_words(expected))
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        Self {
            kind: Kind::Length(length, plain_words(expected)),
            place: None,
        }
    }

    fn unknown_variant(name: &str, known: &'static [&'static str]) -> Self {
        Self {
            kind: Kind::Unknown("value", name.to_owned(), known),
            place: None,
        }
    }

    fn unknown_field(name: &str, known: &'static [&'static str]) -> Self {
        Self {
            kind: Kind::Unknown("key", name.to_owned(), known),
            place: None,
        }
    }

    fn missing_field(name: &'static str) -> Self {
        Self {
            kind: Kind::Missing(name),
            place: None,
        }
    }

    fn duplicate_field(name: &'static str) -> Self {
        Self::custom(format_args!("key `{name}` is given twice"))
    }
}
