//! The framework's log as a layer, for programs that bring a subscriber of their own.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing::Subscriber;
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::fmt::format::{DefaultFields, Format, JsonFields};
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::reload;

use super::filter;
use super::render::{JsonLine, Text};
use super::{LineWriter, LogFormat};

/// Changes the level of one layer.
type Follower = Box<dyn Fn(EnvFilter) + Send>;

/// What the launch has been told of the log.
struct LaunchLog {
    format: LogFormat,
    level: String,
    colour: bool,
    writer: Option<LineWriter>,
    followers: Vec<Follower>,
}

static LAUNCH_LOG: Mutex<LaunchLog> = Mutex::new(LaunchLog {
    format: LogFormat::Text,
    level: String::new(),
    colour: false,
    writer: None,
    followers: Vec::new(),
});

/// Returns the log of the framework as a layer, for a program that installs a subscriber of its own.
///
/// Its lines are those that the program would have without that subscriber: in the format of `log_format`,
/// whole, with slot, pid and pool of the process and the fields of the request, at the level of `log_level`,
/// also when a reload changes it. Other layers stand beside it, and are not filtered by it.
///
/// To be called in `main`, which knows the configuration and runs in the process that will log.
///
/// # Examples
///
/// ```
/// use tracing_subscriber::layer::SubscriberExt;
///
/// let subscriber = tracing_subscriber::registry()
///     .with(service_runtime::log_layer());
/// # drop(subscriber);
/// ```
pub fn log_layer<S>() -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    let mut log = launch_log();
    let variable = std::env::var_os(filter::VARIABLE);
    let level = match log.level.as_str() {
        "" => "info",
        level => level,
    };
    // The launch has refused what is wrong with either.
    let filter = filter::choose(variable.as_deref(), level);
    let filter = filter.unwrap_or_else(|_| EnvFilter::new("info"));
    let (filter, handle) = reload::Layer::new(filter);
    log.followers.push(Box::new(move |filter| {
        // A layer that is gone follows nobody.
        let _ = handle.reload(filter);
    }));
    let writer = log.writer.get_or_insert_with(LineWriter::new).clone();
    match log.format {
        LogFormat::Text => lines(&writer)
            .with_ansi(false)
            .fmt_fields(DefaultFields::new())
            .event_format(Text::new(log.colour))
            .with_filter(filter)
            .boxed(),
        LogFormat::Json => lines(&writer)
            .with_ansi(false)
            .fmt_fields(JsonFields::new())
            .event_format(JsonLine::new())
            .with_filter(filter)
            .boxed(),
    }
}

/// Returns what writes lines, before it is told how they look.
pub(super) fn lines<S>(writer: &LineWriter) -> fmt::Layer<S, DefaultFields, Format, LineWriter>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    // Internal errors would go to standard error by a macro that panics when nobody reads it.
    fmt::Layer::new()
        .with_writer(writer.clone())
        .log_internal_errors(false)
}

/// Takes note of how the launch logs.
pub(super) fn tell(format: LogFormat, level: &str, colour: bool, writer: &LineWriter) {
    let mut log = launch_log();
    (log.format, log.colour) = (format, colour);
    level.clone_into(&mut log.level);
    log.writer = Some(writer.clone());
}

/// Has all layers follow a level, which can be read.
pub(super) fn follow(level: &str) {
    let mut log = launch_log();
    level.clone_into(&mut log.level);
    for follower in &log.followers {
        if let Ok(filter) = filter::from_setting(level) {
            follower(filter);
        }
    }
}

fn launch_log() -> MutexGuard<'static, LaunchLog> {
    LAUNCH_LOG.lock().unwrap_or_else(PoisonError::into_inner)
}
