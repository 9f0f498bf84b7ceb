//! The log of this process: the program's own subscriber, or ours.

#[cfg(feature = "log")]
use std::sync::Arc;

use crate::settings::Settings;

/// A handle on the log; without the feature `log` it does nothing.
#[derive(Clone, Default)]
pub(crate) struct Logging {
    #[cfg(feature = "log")]
    log: Option<Arc<crate::log::Log>>,
}

/// Our log on this thread, until it is dropped.
pub(crate) struct Scoped {
    #[cfg(feature = "log")]
    _guard: Option<tracing::dispatcher::DefaultGuard>,
}

impl Scoped {
    /// Ends it, so that a subscriber of the author's is not hidden.
    pub(crate) fn end(self) {}
}

impl Logging {
    /// Sets up the log that the settings ask for; no event reaches it yet.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with the level or the variable RUST_LOG.
    pub(crate) fn new(settings: &Settings) -> Result<Self, String> {
        #[cfg(feature = "log")]
        {
            let log = crate::log::Log::new(settings.log_format, &settings.log_level)
                .map_err(|error| crate::error_chain::chain(&error))?;
            Ok(Self {
                log: Some(Arc::new(log)),
            })
        }
        #[cfg(not(feature = "log"))]
        {
            let _ = settings;
            Ok(Self {})
        }
    }

    /// Logs this thread's events, over whatever the program installs later.
    pub(crate) fn scoped(&self) -> Scoped {
        Scoped {
            #[cfg(feature = "log")]
            _guard: self
                .log
                .as_ref()
                // A program that installed a subscriber before the launch keeps it.
                .filter(|_| nobody_listens())
                .map(|log| log.set_scoped()),
        }
    }

    /// Logs all events of this process, unless the program has installed a subscriber.
    pub(crate) fn install(&self) {
        #[cfg(feature = "log")]
        if let Some(log) = &self.log {
            log.set_global();
        }
    }

    /// Turns panics into lines of the log, whole and in its format.
    ///
    /// To be called before the author's `main`: a hook that it installs takes the place of this.
    pub(crate) fn log_panics(&self) {
        #[cfg(feature = "log")]
        if self.log.is_some() {
            std::panic::set_hook(Box::new(|panic| {
                let payload = panic.payload();
                let message = payload
                    .downcast_ref::<&str>()
                    .copied()
                    .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
                    .unwrap_or("with a payload that is no text");
                let place = panic
                    .location()
                    .map(ToString::to_string)
                    .unwrap_or_default();
                // Captured only if RUST_BACKTRACE asks for it.
                let trace = std::backtrace::Backtrace::capture();
                match trace.status() {
                    std::backtrace::BacktraceStatus::Captured => {
                        tracing::error!(place, "panic: {message}");
                        for line in trace.to_string().lines() {
                            tracing::error!("{line}");
                        }
                    }
                    _ => tracing::error!(place, "panic: {message}"),
                }
            }));
        }
    }

    /// Changes what is logged from now on, unless the variable RUST_LOG has said it.
    pub(crate) fn set_level(&self, level: &str) {
        #[cfg(feature = "log")]
        if let Some(log) = &self.log
            && std::env::var_os("RUST_LOG").is_none_or(|text| text.is_empty())
            && let Err(error) = log.set_level(level)
        {
            tracing::error!("the log level stays as it is: {error}");
        }
        #[cfg(not(feature = "log"))]
        let _ = level;
    }

    /// Returns how many lines of the log nobody took.
    pub(crate) fn lost(&self) -> u64 {
        #[cfg(feature = "log")]
        {
            self.log.as_ref().map_or(0, |log| log.lost())
        }
        #[cfg(not(feature = "log"))]
        0
    }

    /// Says in every line whose worker this process is.
    #[cfg(workers)]
    pub(crate) fn identify_pool(service: &str) {
        #[cfg(feature = "log")]
        crate::log::identify_pool(service);
        #[cfg(not(feature = "log"))]
        let _ = service;
    }

    /// Says in every line who this process is.
    pub(crate) fn identify(role: ProcessRole) {
        #[cfg(feature = "log")]
        crate::log::identify(match role {
            ProcessRole::Alone => crate::log::Identity::Alone,
            ProcessRole::Supervisor => crate::log::Identity::Supervisor,
            ProcessRole::Worker(slot) => crate::log::Identity::Worker(slot),
            #[cfg(feature = "control")]
            ProcessRole::Control => crate::log::Identity::Control,
        });
        #[cfg(not(feature = "log"))]
        let _ = role;
    }
}

/// Returns whether the program has installed no subscriber, nor have we on this thread.
#[cfg(feature = "log")]
fn nobody_listens() -> bool {
    use tracing::subscriber::NoSubscriber;
    tracing::dispatcher::get_default(|current| current.is::<NoSubscriber>())
}

/// Who a process is among those of its program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProcessRole {
    /// The only one.
    Alone,
    /// The one that forks.
    Supervisor,
    /// The one in this slot.
    Worker(usize),
    /// The one that answers on the control socket.
    #[cfg(feature = "control")]
    #[cfg_attr(
        not(workers),
        expect(dead_code, reason = "only a supervisor forks one")
    )]
    Control,
}
