//! Metrics of all processes of a program: what each counts in memory that others read.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `layout` | how an arena looks: a header, then records of variable length |
//! | `registry`, `series`, `handle` | the writer's side: series are found or added, and counted by an atomic |
//! | `settings`, `place` | what a configuration says of metrics, and where a process stands in its program |
//! | `own` | the list of the framework's own metrics |
//! | `recorder` | the facade `metrics`, on top of a registry |
//! | `reader` | the reader's side: every bound is checked |
//! | `families`, `text` | the arenas of all processes as one, and how that is written |
//! | `program` | what a launch does with all of it, and nothing without the feature |
//! | `arenas`, `owner` | the arenas of a program in one file, and which process writes which |
//! | `listener` | the listener that answers with metrics alone, on a thread of its own |
//! | `http` | what requests of HTTP count |
//! | `requests`, `exchanges` | requests of HTTP, in the shared page itself |
//!
//! What must stay true: only one process writes an arena at a time. The arena of a worker that has ended is
//! given to the next one, which counts on, so totals never have to be moved, and there are never more arenas
//! than workers that lived at one time. An upgrade hands the file over: both supervisors use it for a while.

#[cfg(all(feature = "metrics", workers))]
mod arenas;
#[cfg(feature = "http")]
pub(crate) mod exchanges;
#[cfg(feature = "metrics")]
mod families;
#[cfg(feature = "metrics")]
mod handle;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "metrics")]
mod layout;
#[cfg(feature = "metrics")]
pub(crate) mod listener;
#[cfg(feature = "metrics")]
mod own;
#[cfg(feature = "metrics")]
mod owner;
mod place;
mod program;
#[cfg(feature = "metrics")]
mod reader;
#[cfg(feature = "metrics")]
mod recorder;
#[cfg(feature = "metrics")]
mod registry;
mod requests;
#[cfg(feature = "metrics")]
mod series;
mod settings;
#[cfg(all(test, feature = "metrics"))]
mod tests;
#[cfg(feature = "metrics")]
mod text;

#[cfg(feature = "http")]
pub(crate) use http::{EndedRequest, HttpMetrics};
pub(crate) use place::Place;
#[cfg(feature = "metrics")]
pub(crate) use program::add_time;
#[cfg(any(feature = "cluster", feature = "metrics"))]
pub(crate) use program::count;
#[cfg(feature = "http")]
pub(crate) use program::exposition;
#[cfg(workers)]
pub(crate) use program::{ArenaClaim, OwnMetrics, ProgramMetrics};
pub(crate) use program::{Counting, InheritedMetrics, set};
pub(crate) use requests::RequestCounters;
pub(crate) use settings::MetricSettings;
#[cfg(feature = "http")]
pub(crate) use text::Format;

/// Reads an arena for a fuzzer, and writes what is in it.
#[cfg(all(fuzzing, feature = "metrics"))]
pub(crate) fn fuzz(words: &[u64]) -> Option<String> {
    let arena = reader::read(words).ok()?;
    Some(text::write(
        &families::merge(&[arena]),
        text::Format::OpenMetrics,
    ))
}
