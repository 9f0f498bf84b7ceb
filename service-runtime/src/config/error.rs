//! What is wrong with a configuration: all of it, one line each.
//!
//! The cause of an error is part of its line and not in `source()`: a list of errors has no single
//! chain, and an operator greps for lines.

use std::{fmt, path::Path};

use super::Origin;
use crate::escape::Escaped;

/// One thing wrong with the configuration.
///
/// `Display` is one line: `hello.toml:3: [greeter] interval: expected a duration …, found …`. A
/// secret value is never in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    origin: Option<Origin>,
    column: Option<usize>,
    section: String,
    key: String,
    message: String,
}

impl ConfigError {
    /// Makes an error about a key; an empty `section` or `key` is left out of the line.
    pub fn new(section: &str, key: &str, origin: &Origin, message: impl Into<String>) -> Self {
        Self {
            origin: Some(origin.clone()),
            column: None,
            section: section.to_owned(),
            key: key.to_owned(),
            message: message.into(),
        }
    }

    /// Makes an error that has no place of its own.
    pub(crate) fn plain(message: impl Into<String>) -> Self {
        Self {
            origin: None,
            column: None,
            section: String::new(),
            key: String::new(),
            message: message.into(),
        }
    }

    pub(crate) fn with_column(mut self, column: usize) -> Self {
        self.column = Some(column);
        self
    }

    pub(crate) fn without_origin(mut self) -> Self {
        self.origin = None;
        self
    }

    /// Returns the file and the line, for the order of errors; what has none comes last.
    fn line(&self) -> (bool, Option<(&Path, usize)>) {
        match &self.origin {
            Some(Origin::File { path, line }) => (false, Some((path, *line))),
            _ => (true, None),
        }
    }

    /// Returns where the wrong value comes from, if it comes from anywhere.
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// Returns the table of the option, `greeter` or `greeter.tls`; empty for a whole file.
    pub fn section(&self) -> &str {
        &self.section
    }

    /// Returns the key within the table; empty when the table itself is wrong.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns what is wrong, without the place.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            write!(f, "{origin}")?;
            if let Some(column) = self.column {
                write!(f, ":{column}")?;
            }
            f.write_str(": ")?;
        }
        if !self.section.is_empty() {
            write!(f, "[{}]", Escaped(&self.section))?;
            if !self.key.is_empty() {
                write!(f, " {}", Escaped(&self.key))?;
            }
            f.write_str(": ")?;
        }
        write!(f, "{}", Escaped(&self.message))
    }
}

impl std::error::Error for ConfigError {}

/// Everything wrong with a configuration; never empty.
///
/// `Display` writes one line for each error, those of files in the order of their lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(Vec<ConfigError>);

impl ConfigErrors {
    /// Makes a list of one error about an entry.
    ///
    /// For what only the reader of an option can know, such as "unknown time zone". The message must
    /// not hold the value of a secret.
    pub fn at(section: &str, key: &str, origin: &Origin, message: impl Into<String>) -> Self {
        ConfigError::new(section, key, origin, message).into()
    }

    /// Adds the errors of another list.
    pub fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Goes over the errors.
    pub fn iter(&self) -> std::slice::Iter<'_, ConfigError> {
        self.0.iter()
    }

    /// Returns how many errors there are, at least one.
    #[expect(
        clippy::len_without_is_empty,
        reason = "a list of errors is never empty"
    )]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Turns a list of errors into a result: `value` if the list is empty.
    pub(crate) fn or<T>(mut errors: Vec<ConfigError>, value: T) -> Result<T, Self> {
        if errors.is_empty() {
            return Ok(value);
        }
        errors.sort_by(|a, b| a.line().cmp(&b.line()));
        Err(Self(errors))
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, error) in self.0.iter().enumerate() {
            f.write_str(if n == 0 { "" } else { "\n" })?;
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

impl From<ConfigError> for ConfigErrors {
    fn from(error: ConfigError) -> Self {
        Self(vec![error])
    }
}

impl IntoIterator for ConfigErrors {
    type Item = ConfigError;
    type IntoIter = std::vec::IntoIter<ConfigError>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a ConfigErrors {
    type Item = &'a ConfigError;
    type IntoIter = std::slice::Iter<'a, ConfigError>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
