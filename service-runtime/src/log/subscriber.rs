//! The subscriber that a launched program gets.

use std::io::{self, IsTerminal};

use tracing::Dispatch;
use tracing::dispatcher::{self, DefaultGuard};
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::fmt::format::{DefaultFields, JsonFields};
use tracing_subscriber::fmt::{FormatEvent, FormatFields, Layer};
use tracing_subscriber::layer::{Layered, SubscriberExt};
use tracing_subscriber::{Registry, reload};

use super::filter::{self, LogError};
use super::render::{JsonLine, Text};
use super::{LineWriter, LogFormat};

/// A subscriber, made in the supervisor and used on both sides of a fork.
#[derive(Debug)]
pub(crate) struct Log {
    dispatch: Dispatch,
    level: reload::Handle<EnvFilter, Registry>,
    writer: LineWriter,
}

impl Log {
    /// Builds a subscriber that writes to standard error; `RUST_LOG` wins over `level`.
    ///
    /// Nothing receives events before [`set_scoped`](Self::set_scoped) or
    /// [`set_global`](Self::set_global).
    pub(crate) fn new(format: LogFormat, level: &str) -> Result<Self, LogError> {
        let variable = std::env::var_os(filter::VARIABLE);
        let filter = filter::choose(variable.as_deref(), level)?;
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let colour = io::stderr().is_terminal() && !no_colour;
        Ok(Self::build(format, filter, colour, LineWriter::new()))
    }

    /// Builds a subscriber from parts that were chosen already.
    fn build(format: LogFormat, filter: EnvFilter, colour: bool, writer: LineWriter) -> Self {
        let (filter, level) = reload::Layer::new(filter);
        let filtered = tracing_subscriber::registry().with(filter);
        let dispatch = match format {
            LogFormat::Text => {
                let layer = layer(&writer)
                    .with_ansi(colour)
                    .fmt_fields(DefaultFields::new());
                Dispatch::new(filtered.with(layer.event_format(Text::new())))
            }
            LogFormat::Json => {
                let layer = layer(&writer)
                    .with_ansi(false)
                    .fmt_fields(JsonFields::new());
                Dispatch::new(filtered.with(layer.event_format(JsonLine::new())))
            }
        };
        Self {
            dispatch,
            level,
            writer,
        }
    }

    /// Returns the subscriber itself.
    pub(crate) fn dispatch(&self) -> Dispatch {
        self.dispatch.clone()
    }

    /// Receives the events of this thread until the guard is dropped.
    ///
    /// For the supervisor. A worker drops the guard that it inherited, or an author's own
    /// subscriber would not be heard on the main thread.
    pub(crate) fn set_scoped(&self) -> DefaultGuard {
        dispatcher::set_default(&self.dispatch)
    }

    /// Receives all events of this process, unless the author installed a subscriber before.
    ///
    /// Returns whether it does.
    pub(crate) fn set_global(&self) -> bool {
        dispatcher::set_global_default(self.dispatch()).is_ok()
    }

    /// Changes in this process what is logged from now on; `RUST_LOG` is not asked again.
    pub(crate) fn set_level(&self, level: &str) -> Result<(), LogError> {
        let filter = filter::from_setting(level)?;
        self.level
            .reload(filter)
            .expect("the subscriber lives as long as this does");
        Ok(())
    }

    /// Returns how many lines nobody took.
    pub(crate) fn lost(&self) -> u64 {
        self.writer.lost()
    }
}

type Filtered = Layered<reload::Layer<EnvFilter, Registry>, Registry>;

fn layer(
    writer: &LineWriter,
) -> Layer<Filtered, DefaultFields, tracing_subscriber::fmt::format::Format, LineWriter> {
    // Internal errors would go to standard error by a macro that panics when nobody reads it.
    Layer::new()
        .with_writer(writer.clone())
        .log_internal_errors(false)
}
