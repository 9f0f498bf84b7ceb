//! The log of a launched program: what a line looks like, who wrote it, and that it arrives whole.
//!
//! Several processes write to one standard error. An event becomes one buffer and one write, and
//! what does not fit into one is written under a lock between the processes. A log that nobody
//! reads never ends a program and never holds it up for longer than a moment.

#[cfg(feature = "log")]
mod filter;
mod format;
#[cfg(feature = "log")]
mod identity;
#[cfg(all(feature = "log", feature = "http"))]
mod late_span;
#[cfg(feature = "log")]
mod layer;
#[cfg(feature = "log")]
mod line_writer;
#[cfg(feature = "log")]
mod render;
#[cfg(feature = "log")]
mod subscriber;

#[cfg(feature = "log")]
pub(crate) use filter::is_level;
#[cfg(feature = "http")]
pub(crate) use format::writes_text;
pub use format::{LogFormat, LogFormatError};
#[cfg(all(feature = "log", workers))]
pub(crate) use identity::identify_pool;
#[cfg(feature = "log")]
pub(crate) use identity::{Identity, identify};
#[cfg(all(feature = "log", feature = "http"))]
pub(crate) use late_span::{Inside, LateSpan, SpanSlot, enter, may_wait};
#[cfg(feature = "log")]
pub use layer::log_layer;
#[cfg(feature = "log")]
pub(crate) use line_writer::LineWriter;
#[cfg(feature = "log")]
pub(crate) use subscriber::Log;
