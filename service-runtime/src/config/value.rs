//! The tree of values: what every layer is turned into.

use std::{collections::BTreeMap, time::Duration};

use super::Origin;
use crate::size::Size;

/// What is shown for a secret.
pub(crate) const MASK: &str = "***";

/// A table: entries by key, in the order of their names.
pub type Table = BTreeMap<String, Entry>;

/// A value of the configuration.
///
/// `Display` writes it as TOML. It does not know whether it is secret: an [`Entry`] does.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number; wide enough for every integer of Rust but the largest `u128`.
    Integer(i128),
    /// A number with a fraction.
    Float(f64),
    /// A string; durations, sizes, dates and names of enum variants are strings too.
    String(String),
    /// Text that no one has typed yet, from the environment, `--set` or a flag: it becomes what the
    /// field that it is for asks for, and a string where a string is asked for.
    Text(String),
    /// An array.
    Array(Vec<Entry>),
    /// A table.
    Table(Table),
}

impl Value {
    /// Makes a value of text that is to be read as whatever its field asks for.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Returns the text of a string, typed or not.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) | Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the entries of a table.
    pub fn as_table(&self) -> Option<&Table> {
        match self {
            Self::Table(table) => Some(table),
            _ => None,
        }
    }

    /// Tells whether two values are the same, wherever they come from.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Array(a), Self::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.value.is_same(&b.value))
            }
            (Self::Table(a), Self::Table(b)) => {
                let same = |((a, x), (b, y)): ((&String, &Entry), (&String, &Entry))| {
                    a == b && x.value.is_same(&y.value)
                };
                a.len() == b.len() && a.iter().zip(b).all(same)
            }
            (Self::Float(a), Self::Float(b)) => a == b || (a.is_nan() && b.is_nan()),
            (a, b) => a == b || (a.as_str().is_some() && a.as_str() == b.as_str()),
        }
    }

    /// Returns the word for what this is: `integer`, `table`.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Bool(_) => "boolean",
            Self::Integer(_) => "integer",
            Self::Float(_) => "float",
            Self::String(_) => "string",
            Self::Text(_) => "text",
            Self::Array(_) => "array",
            Self::Table(_) => "table",
        }
    }

    /// Says what was found, for an error message; long values are cut.
    pub(crate) fn found(&self) -> String {
        const LIMIT: usize = 60;
        match self {
            Self::Array(_) | Self::Table(_) => self.kind().to_owned(),
            Self::String(text) | Self::Text(text) if text.chars().count() > LIMIT => {
                let start: String = text.chars().take(LIMIT).collect();
                format!("{} `{}…`", self.kind(), start.escape_debug())
            }
            Self::String(text) | Self::Text(text) => {
                format!("{} `{}`", self.kind(), text.escape_debug())
            }
            other => format!("{} `{other}`", other.kind()),
        }
    }
}

/// A value, where it comes from, and whether it may be shown.
///
/// `Debug` and `Display` write `***` for a secret.
#[derive(Clone, PartialEq)]
pub struct Entry {
    pub(crate) value: Value,
    pub(crate) origin: Origin,
    pub(crate) secret: bool,
}

impl Entry {
    /// Joins a value with its origin.
    pub fn new(value: impl Into<Value>, origin: Origin) -> Self {
        Self {
            value: value.into(),
            origin,
            secret: false,
        }
    }

    /// Returns the value, a secret one as well.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Returns where the value comes from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Tells whether the value must never be printed.
    pub fn is_secret(&self) -> bool {
        self.secret
    }

    /// Tells whether the value, or any below it, must never be printed.
    pub(crate) fn holds_secret(&self) -> bool {
        self.secret
            || match &self.value {
                Value::Array(items) => items.iter().any(Self::holds_secret),
                Value::Table(table) => table.values().any(Self::holds_secret),
                _ => false,
            }
    }

    /// Says what was found, for an error message.
    pub(crate) fn found(&self) -> String {
        if self.secret {
            MASK.to_owned()
        } else {
            self.value.found()
        }
    }

    /// Gives this entry and all below it the origin and the secrecy of the text that it was made from.
    pub(crate) fn adopt(&mut self, from: &Self) {
        self.origin = from.origin.clone();
        self.secret |= from.secret;
        match &mut self.value {
            Value::Array(items) => items.iter_mut().for_each(|item| item.adopt(from)),
            Value::Table(table) => table.values_mut().for_each(|item| item.adopt(from)),
            _ => {}
        }
    }

    /// Marks this entry and all below it as secret.
    pub(crate) fn hide(&mut self) {
        self.secret = true;
        match &mut self.value {
            Value::Array(items) => items.iter_mut().for_each(Self::hide),
            Value::Table(table) => table.values_mut().for_each(Self::hide),
            _ => {}
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

macro_rules! from_integers {
    ($($integer:ty)*) => {$(
        impl From<$integer> for Value {
            fn from(value: $integer) -> Self {
                Self::Integer(value as i128)
            }
        }
    )*};
}

from_integers! { u8 u16 u32 u64 usize i8 i16 i32 i64 isize }

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}

impl From<Duration> for Value {
    fn from(value: Duration) -> Self {
        Self::String(humantime::format_duration(value).to_string())
    }
}

impl From<Size> for Value {
    fn from(value: Size) -> Self {
        Self::String(value.to_string())
    }
}
