//! Where a value of the configuration comes from.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::escape::Escaped;

/// Where a value comes from; every value of a snapshot has one.
///
/// `Display` is what error messages and `--print-config` show: `default`, `hello.toml:3`,
/// `environment variable HELLO__GREETER__GREETING`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Origin {
    /// The default that the author gave the field.
    Default,
    /// An argument of `#[launch(…)]`, by its name.
    Attribute(Arc<str>),
    /// A line of a file, counted from 1.
    File {
        /// The file as it was named.
        path: Arc<Path>,
        /// The line of the key.
        line: usize,
    },
    /// A file that holds this one value, and what names that file.
    SecretFile {
        /// The file.
        path: Arc<Path>,
        /// Where it is named.
        named: Arc<Self>,
    },
    /// A file of this one value that the service manager has put into `$CREDENTIALS_DIRECTORY`.
    Credential(Arc<Path>),
    /// An environment variable, by its name.
    Environment(Arc<str>),
    /// A `--set key=value` on the command line, by its key.
    Set(Arc<str>),
    /// A flag of the command line, as it is written: `--workers`.
    Flag(Arc<str>),
}

impl Origin {
    /// Names an argument of `#[launch(…)]`.
    pub fn attribute(name: &str) -> Self {
        Self::Attribute(name.into())
    }

    /// Names a line of a file, counted from 1.
    pub fn file(path: impl Into<PathBuf>, line: usize) -> Self {
        Self::File {
            path: path.into().into(),
            line,
        }
    }

    /// Tells whether the text of a value stands in a file of its own, which may change at a reload.
    pub(crate) fn is_secret_file(&self) -> bool {
        matches!(self, Self::SecretFile { .. } | Self::Credential(_))
    }

    /// Names an environment variable.
    pub fn environment(variable: &str) -> Self {
        Self::Environment(variable.into())
    }

    /// Names a `--set` by its key.
    pub fn set(key: &str) -> Self {
        Self::Set(key.into())
    }

    /// Names a flag as it is written, dashes and all.
    pub fn flag(flag: &str) -> Self {
        Self::Flag(flag.into())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Attribute(name) => write!(f, "attribute {name}"),
            Self::File { path, line } => {
                write!(f, "{}:{line}", Escaped(&path.to_string_lossy()))
            }
            Self::SecretFile { path, named } => {
                write!(f, "{}, named by {named}", Escaped(&path.to_string_lossy()))
            }
            Self::Credential(path) => {
                write!(f, "credential {}", Escaped(&path.to_string_lossy()))
            }
            Self::Environment(variable) => {
                write!(f, "environment variable {}", Escaped(variable))
            }
            Self::Set(key) => write!(f, "--set {}", Escaped(key)),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}
