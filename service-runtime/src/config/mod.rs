//! Layered configuration: read, checked, printed and changed while the program runs.
//!
//! `Layers` say where values come from, [`Section`]s what the program knows, and a build of both is
//! a [`Snapshot`] or the list of everything that is wrong, never half of it. Values are read with the
//! author's own `serde::Deserialize`; what serde cannot know (documentation, defaults, ranges, secrets,
//! which options may change) stands in the [`Field`]s that `#[derive(Config)]` writes.
//!
//! What must stay true: a value keeps its origin, with file and line, to the end; a secret value is
//! in no output of this module but the value itself; one mistake gives one error.
//!
//! Not supported, since serde hides the types from a deserializer there: `#[serde(flatten)]`, and text of
//! the environment as anything but a string inside `#[serde(untagged)]` enums.

mod change;
mod check;
mod credentials;
mod de;
mod display;
mod env;
mod error;
mod field;
mod layers;
mod live;
mod options;
mod origin;
mod parse;
mod path;
#[cfg(any(feature = "cli", test))]
mod print;
mod range;
#[cfg(any(feature = "cli", test))]
mod sample;
#[cfg(feature = "cli")]
mod schema;
mod secret_names;
mod section;
mod snapshot;
mod tables;
#[cfg(workers)]
mod text_kinds;
mod value;

#[cfg(test)]
mod tests;

pub(crate) use self::{
    change::Changes,
    layers::{Layers, Sources},
    options::{log_options, options},
    value::MASK,
};
pub use self::{
    error::{ConfigError, ConfigErrors},
    field::{Collection, Config, Field},
    live::{Live, LiveError},
    origin::Origin,
    secret_names::Secrets,
    section::Section,
    snapshot::Snapshot,
    value::{Entry, Table, Value},
};
#[cfg(any(feature = "cli", test))]
pub(crate) use self::{print::print_config, sample::sample_config, schema::json_schema};
pub use crate::size::{Size, SizeError};
/// Written on a section's struct, beside serde's `Deserialize`: see [the trait](trait@Config).
pub use service_macros::Config;

/// Reads a list out of the text that a variable or `--set` gives.
pub(crate) fn list_in(text: &str) -> Option<Value> {
    de::text::bracketed(text, '[')
}
