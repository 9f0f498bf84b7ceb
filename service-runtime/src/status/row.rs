//! What a report is made of: rows of named values, with rows below them.

use std::time::Duration;

/// A thing that is reported, and what belongs to it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Row {
    /// What it is: `worker`.
    pub(super) label: String,
    /// What many of them are: `workers`. Empty for something of which there is one.
    pub(super) plural: &'static str,
    pub(super) fields: Vec<(&'static str, Value)>,
    pub(super) rows: Vec<Row>,
    /// What another process has already written in the form that is asked for.
    pub(super) written: Option<String>,
}

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Number(u64),
    Flag(bool),
    /// A value as a configuration file has it.
    Toml(String),
    /// A length of time; seconds in JSON.
    Time(Duration),
    /// Not known, or not so.
    Nothing,
}

impl Row {
    /// Makes a row for something of which there is one.
    pub(super) fn one(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            ..Self::default()
        }
    }

    /// Makes a row for one of many.
    pub(super) fn of_many(label: &'static str, plural: &'static str) -> Self {
        Self {
            plural,
            ..Self::one(label)
        }
    }

    /// Adds a value.
    #[must_use]
    pub(super) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// Adds rows below.
    #[must_use]
    pub(super) fn rows(mut self, rows: impl IntoIterator<Item = Self>) -> Self {
        self.rows.extend(rows);
        self
    }

    /// Adds what another process wrote.
    #[cfg(any(workers, test))]
    #[must_use]
    pub(super) fn written(mut self, written: String) -> Self {
        self.written = Some(written);
        self
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Number(number as u64)
    }
}

#[cfg(workers)]
impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Number(u64::try_from(number).unwrap_or_default())
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<Duration> for Value {
    fn from(time: Duration) -> Self {
        Self::Time(time)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nothing, Into::into)
    }
}
