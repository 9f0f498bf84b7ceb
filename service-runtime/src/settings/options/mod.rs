//! What a program says of its own launch.

mod process_options;

use std::sync::Arc;
use std::time::Duration;

use crate::log::LogFormat;
use crate::service::{RestartMethod, RuntimeKind};
use crate::size::Size;

/// The settings that a program gives to its launcher; files, environment and flags win over them.
///
/// `#[launch(…)]` writes one call for each of its arguments.
#[derive(Clone)]
pub struct LaunchOptions {
    pub(crate) program: String,
    pub(crate) version: Option<&'static str>,
    /// Settings by name, as text.
    pub(crate) given: Vec<(&'static str, String)>,
    /// The configuration file that is read when none is named.
    pub(crate) config: Option<&'static str>,
    pub(crate) preload: Option<Preload>,
    #[cfg(feature = "config")]
    pub(crate) sections: Vec<crate::config::Section>,
}

/// A function that runs in the supervisor, before the first fork.
pub(crate) type Preload = Arc<dyn Fn() -> anyhow::Result<()> + Send + Sync>;

/// What a `preload` function may return.
#[diagnostic::on_unimplemented(
    message = "a `preload` function cannot return `{Self}`",
    label = "neither nothing nor a `Result<(), E>`",
    note = "write a `fn()` or a `fn() -> Result<()>`, not async: no runtime may exist before the \
            fork; it leaves its data in a static, such as a `OnceLock`, that workers share"
)]
pub trait Preloaded {
    /// Turns what the function returned into a result.
    ///
    /// # Errors
    ///
    /// Returns the function's own error.
    fn preloaded(self) -> anyhow::Result<()>;
}

impl Preloaded for () {
    fn preloaded(self) -> anyhow::Result<()> {
        Ok(())
    }
}

#[diagnostic::do_not_recommend]
impl<E: Into<anyhow::Error>> Preloaded for Result<(), E> {
    fn preloaded(self) -> anyhow::Result<()> {
        self.map_err(Into::into)
    }
}

impl LaunchOptions {
    /// Makes options for a program of this name, which is also the prefix of its environment
    /// variables.
    pub fn new(program: impl Into<String>) -> Self {
        Self {
            program: program.into(),
            version: None,
            given: Vec::new(),
            config: None,
            preload: None,
            #[cfg(feature = "config")]
            sections: Vec::new(),
        }
    }

    /// Sets what `--version` tells.
    #[must_use]
    pub fn version(mut self, version: Option<&'static str>) -> Self {
        self.version = version;
        self
    }

    /// Sets how many workers run the services, at least 1.
    #[must_use]
    pub fn workers(self, workers: usize) -> Self {
        self.give("workers", workers)
    }

    /// Runs as many workers as there are processors for this program.
    #[must_use]
    pub fn workers_auto(self) -> Self {
        self.give("workers", "auto")
    }

    /// Sets what a reload does.
    #[must_use]
    pub fn restart_method(self, method: RestartMethod) -> Self {
        self.give("restart_method", method)
    }

    /// Sets how long a graceful stop may take; `None` or zero for no limit.
    #[must_use]
    pub fn graceful_shutdown_timeout(self, limit: impl Into<Option<Duration>>) -> Self {
        self.give_limit("graceful_shutdown_timeout", limit)
    }

    /// Sets how long a replaced worker may take to finish; `None` or zero for no limit.
    #[must_use]
    pub fn drain_timeout(self, limit: impl Into<Option<Duration>>) -> Self {
        self.give_limit("drain_timeout", limit)
    }

    /// Sets how long a worker may take to get ready; `None` or zero for no limit.
    #[must_use]
    pub fn start_timeout(self, limit: impl Into<Option<Duration>>) -> Self {
        self.give_limit("start_timeout", limit)
    }

    /// Sets the tokio runtime that services run on.
    #[must_use]
    pub fn runtime(self, kind: RuntimeKind) -> Self {
        self.give("runtime", kind)
    }

    /// Sets how many threads a multi-thread runtime has; `None` for one a CPU.
    #[must_use]
    pub fn threads(self, threads: impl Into<Option<usize>>) -> Self {
        self.give("threads", threads.into().unwrap_or_default())
    }

    /// Sets how long a slot waits whose workers die early.
    #[must_use]
    pub fn respawn_delay(self, delay: Duration) -> Self {
        self.give_duration("respawn_delay", delay)
    }

    /// Sets the longest that a slot waits for its next worker.
    #[must_use]
    pub fn respawn_delay_max(self, delay: Duration) -> Self {
        self.give_duration("respawn_delay_max", delay)
    }

    /// Sets how long a worker has to be ready for not to have died early.
    #[must_use]
    pub fn healthy_after(self, time: Duration) -> Self {
        self.give_duration("healthy_after", time)
    }

    /// Sets how many workers a reload replaces at the same time.
    #[must_use]
    pub fn reload_surge(self, workers: usize) -> Self {
        self.give("reload_surge", workers)
    }

    /// Sets how long a worker's runtime may stand still before it is replaced; `None` or zero for never.
    #[must_use]
    pub fn heartbeat_timeout(self, limit: impl Into<Option<Duration>>) -> Self {
        self.give_limit("heartbeat_timeout", limit)
    }

    /// Sets how many workers may die in how long before the program ends; `None` for any number.
    #[must_use]
    pub fn restart_limit(self, limit: impl Into<Option<(usize, Duration)>>) -> Self {
        match limit.into() {
            Some((deaths, window)) => {
                let window = humantime::format_duration(window);
                self.give("restart_limit", format_args!("{deaths} in {window}"))
            }
            None => self.give("restart_limit", "none"),
        }
    }

    /// Sets after how many requests a worker is replaced; `None` or 0 for no limit.
    #[must_use]
    pub fn max_requests(self, requests: impl Into<Option<u64>>) -> Self {
        self.give("max_requests", requests.into().unwrap_or_default())
    }

    /// Sets up to how much is added to `max_requests` at random.
    #[must_use]
    pub fn max_requests_jitter(self, requests: u64) -> Self {
        self.give("max_requests_jitter", requests)
    }

    /// Sets after how long a worker is replaced; `None` or zero for no limit.
    #[must_use]
    pub fn max_lifetime(self, time: impl Into<Option<Duration>>) -> Self {
        self.give_limit("max_lifetime", time)
    }

    /// Sets up to how much is added to `max_lifetime` at random.
    #[must_use]
    pub fn max_lifetime_jitter(self, time: Duration) -> Self {
        self.give_duration("max_lifetime_jitter", time)
    }

    /// Sets above which resident memory a worker is replaced; `None` for no limit.
    #[must_use]
    pub fn max_memory(self, size: impl Into<Option<Size>>) -> Self {
        self.give("max_memory", size.into().unwrap_or_default())
    }

    /// Sets how often in a row a service may fail and be restarted; `None` or 0 for no limit.
    #[must_use]
    pub fn service_restart_limit(self, times: impl Into<Option<u64>>) -> Self {
        self.give("service_restart_limit", times.into().unwrap_or_default())
    }

    /// Sets what is logged: a level, or directives.
    #[must_use]
    pub fn log_level(self, level: &str) -> Self {
        self.give("log_level", level)
    }

    /// Sets how a log line looks.
    #[must_use]
    pub fn log_format(self, format: LogFormat) -> Self {
        self.give("log_format", format)
    }

    /// Sets whether the effective options are logged at start.
    #[must_use]
    pub fn log_options(self, yes: bool) -> Self {
        self.give("log_options", yes)
    }

    /// Names the configuration file that is read when the command line names none.
    #[must_use]
    pub fn config(mut self, path: &'static str) -> Self {
        self.config = Some(path);
        self
    }

    /// Runs a function in the supervisor, before the first fork: for data that workers share
    /// copy-on-write.
    ///
    /// It must leave no thread behind: a process with a second thread does not fork. In a launch
    /// without a supervisor it runs before the services start.
    #[must_use]
    pub fn preload<P: Preloaded + 'static>(mut self, preload: fn() -> P) -> Self {
        self.preload = Some(Arc::new(move || preload().preloaded()));
        self
    }

    /// Makes the configuration table of a service known that is not registered, because it is
    /// generic or written by hand.
    #[cfg(feature = "config")]
    #[must_use]
    pub fn section<T: crate::config::Config>(mut self, name: &'static str) -> Self {
        self.sections.push(crate::config::Section::of::<T>(name));
        self
    }

    fn give(mut self, name: &'static str, value: impl ToString) -> Self {
        self.given.push((name, value.to_string()));
        self
    }

    fn give_limit(self, name: &'static str, limit: impl Into<Option<Duration>>) -> Self {
        self.give_duration(name, limit.into().unwrap_or_default())
    }

    fn give_duration(self, name: &'static str, value: Duration) -> Self {
        self.give(
            name,
            humantime::format_duration(value.min(crate::duration::MAX)),
        )
    }
}
