//! The table `[launch]`: every setting of a launcher, in one list.
//!
//! A setting is the same under the same name as an argument of `#[launch(…)]`, as a method of
//! [`Options`](super::Options), a key of the table `[launch]`, a flag and an environment variable.
//! All of them arrive as text and are read by the one function of their key.

use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;

use crate::log::LogFormat;
use crate::service::{RestartMethod, RuntimeKind};

/// The effective settings of a launch.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    pub(crate) workers: NonZeroUsize,
    pub(crate) restart_method: RestartMethod,
    pub(crate) graceful_shutdown_timeout: Option<Duration>,
    pub(crate) drain_timeout: Option<Duration>,
    pub(crate) start_timeout: Option<Duration>,
    pub(crate) upgrade_timeout: Option<Duration>,
    /// `None` until asked for: a worker's is current-thread, a ServiceLauncher's multi-thread.
    pub(crate) runtime: Option<RuntimeKind>,
    /// 0 for one a CPU.
    pub(crate) threads: usize,
    pub(crate) respawn_delay: Duration,
    pub(crate) respawn_delay_max: Duration,
    pub(crate) healthy_after: Duration,
    pub(crate) reload_surge: NonZeroUsize,
    pub(crate) heartbeat_timeout: Option<Duration>,
    /// How many deaths within which time.
    pub(crate) restart_limit: Option<(usize, Duration)>,
    pub(crate) wear: Wear,
    pub(crate) service_restart_limit: u64,
    pub(crate) log_level: String,
    pub(crate) log_format: LogFormat,
    pub(crate) log_options: bool,
}

/// When a worker is worn out and replaced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Wear {
    /// After this many requests; 0 for no limit.
    pub(crate) requests: u64,
    pub(crate) requests_jitter: u64,
    /// After this time.
    pub(crate) lifetime: Option<Duration>,
    pub(crate) lifetime_jitter: Duration,
    /// Above this resident memory, in bytes; 0 for no limit.
    pub(crate) memory: u64,
}

/// One setting.
#[cfg_attr(
    not(feature = "config"),
    expect(
        dead_code,
        reason = "only a configuration has a template and sub-tables"
    )
)]
pub(crate) struct Key {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its type, as the template shows it.
    pub(crate) kind: &'static str,
    /// What a value must be, in words.
    pub(crate) expects: &'static str,
    /// Its default, as it is written in a file.
    pub(crate) default: &'static str,
    /// Whether a mutation takes it over.
    pub(crate) mutable: bool,
    /// What it is for.
    pub(crate) doc: &'static str,
    /// Reads it.
    read: fn(&mut Settings, &str) -> Option<()>,
}

/// What a duration must look like.
const DURATION: &str = "a duration such as `500ms`, `30s` or `1h 30m`";

/// What a limit must look like.
const LIMIT: &str = "a duration such as `500ms`, `30s` or `1h 30m`, or `0s` for no limit";

/// Every setting, in the order in which help and sample show them.
#[rustfmt::skip]
pub(crate) const KEYS: &[Key] = &[
    key("workers", "NonZeroUsize", "a number of workers, at least 1", "1", true,
        "How many worker processes run the services. What 1 means is the program's choice: one worker, or none and the services in this process.",
        |s, t| set(&mut s.workers, t.parse().ok())),
    key("restart_method", "RestartMethod", "`reload` or `mutate`", "\"reload\"", true,
        "What SIGHUP does: `reload` replaces every worker, `mutate` lets them take over mutable options.",
        |s, t| set(&mut s.restart_method, t.parse().ok())),
    key("graceful_shutdown_timeout", "Duration", LIMIT, "\"60s\"", true,
        "How long a graceful stop may take before what still runs is killed. `0s` for no limit.",
        |s, t| set(&mut s.graceful_shutdown_timeout, limit(t))),
    key("drain_timeout", "Duration", LIMIT, "\"60s\"", true,
        "How long a replaced worker may take to finish before it is killed. `0s` for no limit.",
        |s, t| set(&mut s.drain_timeout, limit(t))),
    key("start_timeout", "Duration", LIMIT, "\"30s\"", true,
        "How long a worker may take to get ready before it is killed. `0s` for no limit.",
        |s, t| set(&mut s.start_timeout, limit(t))),
    key("runtime", "RuntimeKind", "`current_thread` or `multi_thread`", "", false,
        "The tokio runtime of a worker; `current_thread` in a forked worker, `multi_thread` in a single process.",
        |s, t| set(&mut s.runtime, t.parse().ok().map(Some))),
    key("threads", "usize", "a number of threads, 0 for one a CPU", "0", false,
        "How many threads a `multi_thread` runtime has; 0 for one a CPU.",
        |s, t| set(&mut s.threads, t.parse().ok())),
    key("respawn_delay", "Duration", DURATION, "\"100ms\"", true,
        "How long a slot waits for its next worker when two in a row died young; doubles with each further one.",
        |s, t| set(&mut s.respawn_delay, duration(t))),
    key("respawn_delay_max", "Duration", DURATION, "\"30s\"", true,
        "The longest that a slot waits for its next worker.",
        |s, t| set(&mut s.respawn_delay_max, duration(t))),
    key("healthy_after", "Duration", DURATION, "\"1s\"", true,
        "A worker that was ready for less than this has died young.",
        |s, t| set(&mut s.healthy_after, duration(t))),
    key("reload_surge", "NonZeroUsize", "a number of workers, at least 1", "1", true,
        "How many workers a reload replaces at the same time.",
        |s, t| set(&mut s.reload_surge, t.parse().ok())),
    key("heartbeat_timeout", "Duration", "a duration of at least `3s`, or `0s` for no limit", "\"30s\"", true,
        "A worker whose runtime stands still for this long is aborted and replaced. `0s` for never.",
        |s, t| set(&mut s.heartbeat_timeout, limit(t).filter(|limit| limit.is_none_or(|l| l >= Duration::from_secs(3))))),
    key("restart_limit", "String", "how many deaths in how long, such as `5 in 60s`, or `none`", "\"none\"", true,
        "When more workers die within the time, the program ends with code 1, for a service manager to decide.",
        |s, t| set(&mut s.restart_limit, deaths(t))),
    key("max_requests", "u64", "a number of requests, 0 for no limit", "0", false,
        "A worker that has counted this many requests is replaced. 0 for no limit.",
        |s, t| set(&mut s.wear.requests, t.parse().ok())),
    key("max_requests_jitter", "u64", "a number of requests", "0", false,
        "A random number up to this is added to `max_requests`, so that workers do not go together.",
        |s, t| set(&mut s.wear.requests_jitter, t.parse().ok())),
    key("max_lifetime", "Duration", LIMIT, "\"0s\"", false,
        "A worker that has been ready for this long is replaced. `0s` for no limit.",
        |s, t| set(&mut s.wear.lifetime, limit(t))),
    key("max_lifetime_jitter", "Duration", DURATION, "\"0s\"", false,
        "A random time up to this is added to `max_lifetime`.",
        |s, t| set(&mut s.wear.lifetime_jitter, duration(t))),
    key("max_memory", "Size", "a size such as `256MiB`, or `0B` for no limit", "\"0B\"", false,
        "A worker whose resident memory is more than this is replaced. `0B` for no limit.",
        |s, t| set(&mut s.wear.memory, size(t))),
    key("service_restart_limit", "u64", "a whole number, 0 for no limit", "10", true,
        "How often in a row a service with `on_error = \"restart\"` may fail before the process ends. 0 for no limit.",
        |s, t| set(&mut s.service_restart_limit, t.parse().ok())),
    key("log_level", "String", "a level (`error`, `warn`, `info`, `debug`, `trace`, `off`) or directives such as `info,my_crate=debug`", "\"info\"", true,
        "What is logged. The variable RUST_LOG wins.",
        |s, t| set(&mut s.log_level, level(t))),
    key("log_format", "LogFormat", "`text` or `json`", "\"text\"", false,
        "How a log line looks.",
        |s, t| set(&mut s.log_format, t.parse().ok())),
    key("log_options", "bool", "`true` or `false`", "true", false,
        "Whether every effective option is logged at start, at debug level, with secrets masked.",
        |s, t| set(&mut s.log_options, t.parse().ok())),
];

/// The settings that `[launch.pools.<service>]` may hold.
#[cfg(feature = "config")]
const OF_A_POOL: &[&str] = &[
    "workers",
    "drain_timeout",
    "start_timeout",
    "runtime",
    "threads",
    "respawn_delay",
    "respawn_delay_max",
    "healthy_after",
    "reload_surge",
    "heartbeat_timeout",
    "max_requests",
    "max_requests_jitter",
    "max_lifetime",
    "max_lifetime_jitter",
    "max_memory",
    "service_restart_limit",
];

#[cfg(feature = "config")]
impl Key {
    /// Returns whether the workers of one service can be told another value.
    pub(crate) fn is_of_a_pool(&self) -> bool {
        OF_A_POOL.contains(&self.name)
    }
}

impl Settings {
    /// Reads one setting.
    ///
    /// # Errors
    ///
    /// Returns what a value must be, in words, or `None` if there is no such setting.
    pub(crate) fn read(&mut self, name: &str, text: &str) -> Result<(), Option<&'static str>> {
        let key = KEYS.iter().find(|key| key.name == name).ok_or(None)?;
        (key.read)(self, text.trim()).ok_or(Some(key.expects))
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            workers: NonZeroUsize::MIN,
            restart_method: RestartMethod::default(),
            graceful_shutdown_timeout: Some(Duration::from_secs(60)),
            drain_timeout: Some(Duration::from_secs(60)),
            start_timeout: Some(Duration::from_secs(30)),
            upgrade_timeout: Some(Duration::from_secs(60)),
            runtime: None,
            threads: 0,
            respawn_delay: Duration::from_millis(100),
            respawn_delay_max: Duration::from_secs(30),
            healthy_after: Duration::from_secs(1),
            reload_surge: NonZeroUsize::MIN,
            heartbeat_timeout: Some(Duration::from_secs(30)),
            restart_limit: None,
            wear: Wear::default(),
            service_restart_limit: 10,
            log_level: "info".to_owned(),
            log_format: LogFormat::default(),
            log_options: true,
        }
    }
}

const fn key(
    name: &'static str,
    kind: &'static str,
    expects: &'static str,
    default: &'static str,
    mutable: bool,
    doc: &'static str,
    read: fn(&mut Settings, &str) -> Option<()>,
) -> Key {
    Key {
        name,
        kind,
        expects,
        default,
        mutable,
        doc,
        read,
    }
}

fn set<T>(place: &mut T, value: Option<T>) -> Option<()> {
    *place = value?;
    Some(())
}

fn duration(text: &str) -> Option<Duration> {
    humantime::parse_duration(text).ok()
}

/// Reads a limit; nothing at all means none.
fn limit(text: &str) -> Option<Option<Duration>> {
    let limit = if text == "0" {
        Duration::ZERO
    } else {
        duration(text)?
    };
    Some((!limit.is_zero()).then_some(limit))
}

/// Reads `5 in 60s`.
fn deaths(text: &str) -> Option<Option<(usize, Duration)>> {
    if text == "none" {
        return Some(None);
    }
    let (count, window) = text.split_once(" in ")?;
    let (count, window) = (count.trim().parse().ok()?, duration(window.trim())?);
    (count > 0 && !window.is_zero()).then_some(Some((count, window)))
}

/// Reads a size in bytes, `kB` in thousands and `KiB` in 1024s.
fn size(text: &str) -> Option<u64> {
    const UNITS: [(&str, u64); 9] = [
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("TiB", 1 << 40),
        ("kB", 1000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("TB", 1_000_000_000_000),
        ("B", 1),
    ];
    let (number, factor) = UNITS
        .iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)))?;
    let number: f64 = number.trim().parse().ok()?;
    let bytes = number * factor as f64;
    (number >= 0.0 && bytes < u64::MAX as f64).then_some(bytes as u64)
}

/// Reads a level or directives, as far as that can be done without a subscriber.
fn level(text: &str) -> Option<String> {
    let good = |part: &str| {
        let level = part.rsplit('=').next().unwrap_or(part).trim();
        let named = part.contains('=');
        named && !level.is_empty() || tracing::level_filters::LevelFilter::from_str(level).is_ok()
    };
    (!text.is_empty() && text.split(',').all(good)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_in_the_list_is_the_default() {
        let mut read = Settings::default();
        for key in KEYS.iter().filter(|key| !key.default.is_empty()) {
            read.read(key.name, key.default.trim_matches('"')).unwrap();
        }
        assert_eq!(read, Settings::default());
    }

    #[test]
    fn a_wrong_value_is_refused_with_what_is_expected() {
        let mut settings = Settings::default();
        assert_eq!(
            settings.read("workers", "0"),
            Err(Some("a number of workers, at least 1"))
        );
        assert_eq!(settings.read("start_timeout", "soon"), Err(Some(LIMIT)));
        assert_eq!(settings.read("wokers", "1"), Err(None));
        assert_eq!(settings, Settings::default());
    }

    #[test]
    fn no_time_at_all_is_no_limit() {
        let mut settings = Settings::default();
        settings.read("graceful_shutdown_timeout", "0s").unwrap();
        assert_eq!(settings.graceful_shutdown_timeout, None);
    }
}
