//! An event becomes a line.
//!
//! tracing-subscriber's own formats do most of it; what they do not know is who writes.

use std::fmt;

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::{Format, Full, Json, JsonFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::identity::{self, Identity};
use crate::escape::Escaped;

/// Renders for people.
pub(super) struct Text {
    /// Renders spans and fields.
    rest: Format<Full, ()>,
    colour: bool,
}

impl Text {
    pub(super) fn new(colour: bool) -> Self {
        let rest = Format::default()
            .without_time()
            .with_level(false)
            .with_target(false);
        Self { rest, colour }
    }
}

impl<S, N> FormatEvent<S, N> for Text
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        SystemTime.format_time(&mut writer)?;
        let level = event.metadata().level();
        if self.colour {
            write!(writer, " \x1b[{}m{level:>5}\x1b[0m", colour(level))?;
        } else {
            write!(writer, " {level:>5}")?;
        }
        let target = shown(event.metadata().target());
        write!(writer, " {} {target}: ", identity::current())?;
        // Whoever wrote the values of an event, it stays one line.
        let mut rest = String::new();
        self.rest
            .format_event(context, Writer::new(&mut rest), event)?;
        writeln!(writer, "{}", Escaped(rest.trim_end_matches('\n')))
    }
}

/// Returns the target as a person wants to read it: the rooms of this crate are nobody's business.
fn shown(target: &str) -> &str {
    match target.strip_prefix(env!("CARGO_CRATE_NAME")) {
        Some(module) if module.starts_with("::") => env!("CARGO_CRATE_NAME"),
        _ => target,
    }
}

/// Returns the number of a terminal's colour.
fn colour(level: &Level) -> u8 {
    match *level {
        Level::ERROR => 31,
        Level::WARN => 33,
        Level::INFO => 32,
        Level::DEBUG => 34,
        Level::TRACE => 35,
    }
}

/// Renders for programs.
pub(super) struct JsonLine {
    object: Format<Json, SystemTime>,
}

impl JsonLine {
    pub(super) fn new() -> Self {
        let object = Format::default().json();
        Self { object }
    }
}

impl<S> FormatEvent<S, JsonFields> for JsonLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut object = String::new();
        self.object
            .format_event(context, Writer::new(&mut object), event)?;
        let open = object.trim_end().strip_suffix('}').ok_or(fmt::Error)?;
        let pid = std::process::id();
        match identity::current() {
            Identity::Alone => writeln!(writer, r#"{open},"pid":{pid}}}"#),
            Identity::Supervisor => writeln!(writer, r#"{open},"supervisor":true,"pid":{pid}}}"#),
            #[cfg(feature = "control")]
            Identity::Control => writeln!(writer, r#"{open},"control":true,"pid":{pid}}}"#),
            Identity::Worker(slot) => match identity::pool() {
                Some(pool) => {
                    let of = crate::quote::Quoted(pool);
                    writeln!(writer, r#"{open},"slot":{slot},"of":{of},"pid":{pid}}}"#)
                }
                None => writeln!(writer, r#"{open},"slot":{slot},"pid":{pid}}}"#),
            },
        }
    }
}
