//! Metrics of all processes of a program: what each counts in memory that others read.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `layout` | how an arena looks: a header, then records of variable length |
//! | `registry`, `handle` | the writer's side: series are found or added, and counted by an atomic |
//! | `recorder` | the facade `metrics`, on top of a registry |
//! | `reader` | the reader's side: every bound is checked |
//! | `families`, `text` | the arenas of all processes as one, and how that is written |
//! | `program` | what a launch does with all of it, and nothing without the feature |
//! | `arenas`, `owner` | the arenas of a program in one file, and which process writes which |
//! | `http` | what requests of HTTP count |
//! | `requests`, `exchanges` | requests of HTTP, in the shared page itself |
//!
//! What must stay true: only one process writes an arena at a time. The arena of a worker that has ended is
//! given to the next one, which counts on, so totals never have to be moved, and there are never more arenas
//! than workers that lived at one time. An upgrade hands the file over: both supervisors use it for a while.

#![cfg_attr(
    all(feature = "metrics", not(feature = "http")),
    allow(dead_code, reason = "only a service of HTTP shows metrics")
)]

#[cfg(all(feature = "metrics", workers))]
mod arenas;
#[cfg(feature = "http")]
pub(crate) mod exchanges;
#[cfg(feature = "http")]
mod families;
#[cfg(feature = "metrics")]
mod handle;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "metrics")]
mod layout;
#[cfg(feature = "metrics")]
mod owner;
mod program;
#[cfg(feature = "metrics")]
mod reader;
#[cfg(feature = "metrics")]
mod recorder;
#[cfg(feature = "metrics")]
mod registry;
mod requests;
#[cfg(all(test, feature = "http"))]
mod tests;
#[cfg(feature = "http")]
mod text;

#[cfg(feature = "http")]
pub(crate) use program::exposition;
#[cfg(workers)]
pub(crate) use program::{ArenaClaim, ProgramMetrics};
pub(crate) use program::{Counting, InheritedMetrics};
pub(crate) use requests::RequestCounters;
#[cfg(feature = "http")]
pub(crate) use text::Format;
