//! What a launch does with metrics: which processes count where, and who reads all of it.
//!
//! Without the feature there is nothing behind it.

use std::os::fd::OwnedFd;
#[cfg(all(feature = "metrics", workers))]
use std::sync::OnceLock;
#[cfg(feature = "metrics")]
use std::time::Duration;

#[cfg(all(feature = "metrics", workers))]
use super::arenas::Arenas;
use super::place::Place;
#[cfg(feature = "metrics")]
use super::recorder::{self, OnThisThread};
#[cfg(feature = "metrics")]
use super::registry::Registry;
use super::settings::MetricSettings;

/// What an older process hands over to the one that replaces it.
#[derive(Debug)]
#[cfg_attr(
    not(feature = "metrics"),
    expect(dead_code, reason = "nothing is counted")
)]
pub(crate) struct InheritedMetrics {
    /// The version of the layout of its arenas, as it tells it.
    pub(crate) layout: String,
    pub(crate) arenas: OwnedFd,
}

/// The metrics of a program with workers. Every clone is the same memory.
#[cfg(workers)]
#[derive(Debug, Clone)]
pub(crate) struct ProgramMetrics {
    /// `None` if there is no memory for them.
    #[cfg(feature = "metrics")]
    arenas: Option<Arenas>,
}

/// Where a worker that is to be forked will count.
#[cfg(workers)]
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ArenaClaim {
    #[cfg(feature = "metrics")]
    index: Option<usize>,
}

/// Lets what `main` does count, which runs on this thread, until all threads do.
pub(crate) struct Counting {
    #[cfg(feature = "metrics")]
    _on_this_thread: OnThisThread,
}

#[cfg(all(feature = "metrics", workers))]
static PROGRAM: OnceLock<Arenas> = OnceLock::new();

#[cfg(workers)]
impl ProgramMetrics {
    /// Makes the memory, before the first fork, or goes on with what another process hands over; a program
    /// that gets none goes on without.
    pub(crate) fn new(inherited: Option<InheritedMetrics>) -> Self {
        #[cfg(not(feature = "metrics"))]
        let _ = inherited;
        Self {
            #[cfg(feature = "metrics")]
            arenas: inherit(inherited).or_else(|| {
                Arenas::new()
                    .inspect_err(|error| tracing::error!("no metrics are counted: {error}"))
                    .ok()
            }),
        }
    }

    /// Makes room for a worker that is to be forked.
    pub(crate) fn claim(&self) -> ArenaClaim {
        ArenaClaim {
            #[cfg(feature = "metrics")]
            index: self.arenas.as_ref().and_then(|arenas| {
                arenas
                    .claim()
                    .inspect_err(|error| {
                        tracing::debug!("no room for the metrics of a worker: {error}");
                    })
                    .ok()
            }),
        }
    }

    /// Notes that the worker with this number has ended, or 0 that none was forked.
    pub(crate) fn release(&self, claim: ArenaClaim, pid: u32) {
        #[cfg(feature = "metrics")]
        if let (Some(arenas), Some(index)) = (&self.arenas, claim.index) {
            arenas.release(index, pid);
        }
        #[cfg(not(feature = "metrics"))]
        let _ = (claim, pid);
    }

    /// Returns what a process that replaces this one goes on with: the version of the layout, and the file.
    pub(crate) fn to_hand_over(&self) -> Option<(&'static str, std::os::fd::BorrowedFd<'_>)> {
        #[cfg(feature = "metrics")]
        if let Some(arenas) = &self.arenas {
            return Some((super::layout::VERSION, std::os::fd::AsFd::as_fd(arenas)));
        }
        None
    }

    /// Lets a worker count, in the arena that was claimed for it.
    pub(crate) fn start(
        self,
        claim: ArenaClaim,
        place: &Place,
        settings: &MetricSettings,
    ) -> Counting {
        #[cfg(not(feature = "metrics"))]
        let _ = (claim, place, settings);
        Counting {
            #[cfg(feature = "metrics")]
            _on_this_thread: self.count(claim.index, place, settings),
        }
    }

    #[cfg(feature = "metrics")]
    fn count(self, index: Option<usize>, place: &Place, settings: &MetricSettings) -> OnThisThread {
        if let Some(arenas) = &self.arenas {
            // A process has one program.
            let _ = PROGRAM.set(arenas.clone());
        }
        recorder::start(settings, || {
            let opened = self.arenas.zip(index);
            let opened = opened.map(|(arenas, index)| arenas.open(index, place, settings.clone()));
            opened.transpose().unwrap_or_else(|error| {
                tracing::error!("nobody else sees the metrics of this process: {error}");
                None
            })
        })
    }

    /// Lets the supervisor count by itself.
    pub(crate) fn of_supervisor(&self, settings: &MetricSettings) -> OwnMetrics {
        #[cfg(not(feature = "metrics"))]
        let _ = settings;
        OwnMetrics {
            #[cfg(feature = "metrics")]
            registry: self.arenas.as_ref().and_then(|arenas| {
                let index = arenas.claim();
                let opened = index
                    .and_then(|index| arenas.open(index, &Place::Supervisor, settings.clone()));
                opened
                    .inspect_err(|error| {
                        tracing::error!("the supervisor has no metrics of its own: {error}");
                    })
                    .ok()
            }),
        }
    }
}

/// What a process counts with that does not count by the macros: the supervisor.
#[derive(Debug, Default)]
pub(crate) struct OwnMetrics {
    #[cfg(feature = "metrics")]
    registry: Option<Registry>,
}

impl OwnMetrics {
    /// Counts.
    pub(crate) fn count(&self, name: &str, labels: &[(&str, &str)], times: u64) {
        #[cfg(feature = "metrics")]
        if let Some(registry) = &self.registry {
            registry.count(name, labels, times);
        }
        #[cfg(not(feature = "metrics"))]
        let _ = (name, labels, times);
    }

    /// Sets a gauge.
    pub(crate) fn set(&self, name: &str, labels: &[(&str, &str)], value: f64) {
        #[cfg(feature = "metrics")]
        if let Some(registry) = &self.registry {
            registry.set(name, labels, value);
        }
        #[cfg(not(feature = "metrics"))]
        let _ = (name, labels, value);
    }
}

/// Counts with one of the framework's own metrics, if this process counts.
#[cfg(any(feature = "cluster", feature = "metrics"))]
pub(crate) fn count(name: &str, labels: &[(&str, &str)], times: u64) {
    #[cfg(feature = "metrics")]
    if let Some(registry) = recorder::own() {
        registry.count(name, labels, times);
    }
    #[cfg(not(feature = "metrics"))]
    let _ = (name, labels, times);
}

/// Sets a gauge of the framework's own, if this process counts.
pub(crate) fn set(name: &str, labels: &[(&str, &str)], value: f64) {
    #[cfg(feature = "metrics")]
    if let Some(registry) = recorder::own() {
        registry.set(name, labels, value);
    }
    #[cfg(not(feature = "metrics"))]
    let _ = (name, labels, value);
}

/// Adds to a counter of seconds of the framework's own, if this process counts.
#[cfg(feature = "metrics")]
pub(crate) fn add_time(name: &str, labels: &[(&str, &str)], time: Duration) {
    if let Some(registry) = recorder::own() {
        registry.add_time(name, labels, time);
    }
}

/// Takes over what another process has counted, if this version can read it.
#[cfg(all(feature = "metrics", workers))]
fn inherit(inherited: Option<InheritedMetrics>) -> Option<Arenas> {
    let InheritedMetrics { layout, arenas } = inherited?;
    if layout != super::layout::VERSION {
        tracing::warn!(
            "metrics begin at zero: the process before keeps them in another way (layout {layout}, \
             not {})",
            super::layout::VERSION
        );
        return None;
    }
    let inherited = Arenas::inherit(arenas);
    inherited
        .inspect_err(|error| {
            tracing::error!(
                "metrics begin at zero: those of the process before cannot be taken over: {error}"
            );
        })
        .ok()
}

impl Counting {
    /// Lets a process count that has no workers; it goes on with what a process has counted that it replaces.
    pub(crate) fn start_alone(
        inherited: Option<InheritedMetrics>,
        settings: &MetricSettings,
    ) -> Self {
        #[cfg(all(feature = "metrics", workers))]
        if let Some(arenas) = inherit(inherited) {
            let program = ProgramMetrics {
                arenas: Some(arenas),
            };
            let claim = program.claim();
            return program.start(claim, &Place::Alone, settings);
        }
        #[cfg(not(all(feature = "metrics", workers)))]
        let _ = inherited;
        #[cfg(not(feature = "metrics"))]
        let _ = settings;
        Self {
            #[cfg(feature = "metrics")]
            _on_this_thread: recorder::start(settings, || None),
        }
    }

    /// Lets all threads count from here on, unless `main` has installed a recorder of its own.
    pub(crate) fn install(self) {
        #[cfg(feature = "metrics")]
        recorder::install();
    }
}

/// Writes the metrics of all processes of the program, as a process sees them that counts.
#[cfg(feature = "metrics")]
pub(crate) fn exposition(format: super::text::Format) -> String {
    super::text::write(&super::families::merge(&arenas()), format)
}

/// Reads the numbers of all processes of the program.
#[cfg(feature = "metrics")]
fn arenas() -> Vec<super::reader::Arena> {
    #[cfg(workers)]
    if let Some(program) = PROGRAM.get() {
        return Arenas::read(program);
    }
    let own = recorder::own().map(|own| super::reader::read(&own.load()));
    own.and_then(Result::ok).into_iter().collect()
}
