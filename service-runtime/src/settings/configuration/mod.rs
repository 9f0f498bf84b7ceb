//! The configuration of a launch: read, checked, taken over.
//!
//! With the feature `config` it comes in layers from files, environment and flags; without it from
//! the program's [`Options`](super::Options) alone.

#[cfg(feature = "config")]
mod addresses;
#[cfg(feature = "config")]
mod changes;
#[cfg(workers)]
mod check_answer;
#[cfg(all(feature = "config", workers))]
mod check_in_child;
#[cfg(all(feature = "config", not(workers)))]
mod check_inline;
#[cfg(feature = "cli")]
mod files;
#[cfg(not(feature = "config"))]
mod from_options;
#[cfg(feature = "config")]
mod launch_table;
#[cfg(feature = "config")]
mod load;
#[cfg(feature = "config")]
mod periodic;
#[cfg(feature = "config")]
mod pools;

#[cfg(workers)]
pub(crate) use check_answer::{answer_check, answer_of_check, memory_for_answer};
#[cfg(not(feature = "config"))]
pub(crate) use from_options::{Configuration, Loaded};
#[cfg(feature = "config")]
pub(crate) use load::{Configuration, Loaded};
#[cfg(feature = "config")]
pub(crate) use periodic::periodic_settings;
