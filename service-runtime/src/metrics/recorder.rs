//! The recorder behind the macros of the crate `metrics`.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use ::metrics::{
    Counter, Gauge, Histogram, Key, KeyName, LocalRecorderGuard, Metadata, Recorder as Facade,
    SharedString, Unit,
};

use super::layout::{ARENA_WORDS, Kind};
use super::place::Place;
use super::registry::{Found, Registry};
use super::settings::MetricSettings;
use crate::os::process::arena::Words;

/// What counts for this process, once it does.
static OWN: OnceLock<&'static Recorder> = OnceLock::new();

/// How many keys are remembered with where they count: each series has one, or a few when its labels come
/// in another order.
const MOST_KEYS: usize = 64_000;

/// Writes what the macros count into an arena.
#[derive(Debug)]
pub(crate) struct Recorder {
    registry: Option<Registry>,
    counters: RwLock<HashMap<Key, Counter>>,
    gauges: RwLock<HashMap<Key, Gauge>>,
    histograms: RwLock<HashMap<Key, Histogram>>,
}

/// Lets the macros of this thread count, until it is dropped.
pub(crate) type OnThisThread = LocalRecorderGuard<'static>;

/// Makes a recorder of this process; the first one stays.
///
/// Without a registry it counts where only this process sees it, and without memory nowhere.
pub(super) fn start(
    settings: &MetricSettings,
    registry: impl FnOnce() -> Option<Registry>,
) -> OnThisThread {
    let recorder = OWN.get_or_init(|| {
        let registry = registry().or_else(|| private(settings.clone()));
        Box::leak(Box::new(Recorder::new(registry)))
    });
    ::metrics::set_default_local_recorder(*recorder)
}

/// Lets the macros of all threads count, unless the program has brought a recorder of its own.
pub(crate) fn install() {
    let Some(recorder) = OWN.get() else {
        return;
    };
    if ::metrics::set_global_recorder(*recorder).is_err() {
        tracing::debug!("the program has a recorder for metrics of its own");
    }
}

/// Returns what this process counts in, if it counts.
pub(crate) fn own() -> Option<&'static Registry> {
    OWN.get().and_then(|recorder| recorder.registry.as_ref())
}

/// Makes a registry in memory that only this process sees.
fn private(settings: MetricSettings) -> Option<Registry> {
    let words = Words::anonymous(NonZeroUsize::new(ARENA_WORDS)?);
    let words = words.inspect_err(|error| tracing::error!("no metrics are counted: {error}"));
    Some(Registry::open(words.ok()?, &Place::Alone, settings))
}

impl Recorder {
    pub(super) fn new(registry: Option<Registry>) -> Self {
        Self {
            registry,
            counters: RwLock::default(),
            gauges: RwLock::default(),
            histograms: RwLock::default(),
        }
    }

    #[cfg(test)]
    pub(super) fn load(&self) -> Vec<u64> {
        let registry = self.registry.as_ref();
        registry.map(Registry::load).unwrap_or_default()
    }

    fn describe(&self, name: &KeyName, help: &str) {
        if let Some(registry) = &self.registry {
            registry.describe(name.as_str(), help);
        }
    }

    /// Returns what a key counts with, and remembers it.
    fn find<H: Clone>(
        keys: &RwLock<HashMap<Key, H>>,
        key: &Key,
        make: impl FnOnce(&str, &[(&str, &str)]) -> Option<Found<H>>,
    ) -> Option<H> {
        let known = keys.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = known.get(key) {
            return Some(handle.clone());
        }
        let is_full = known.len() >= MOST_KEYS;
        drop(known);
        let labels: Vec<_> = key
            .labels()
            .map(|label| (label.key(), label.value()))
            .collect();
        let found = make(key.name(), &labels)?;
        // Those over the limit may be any number.
        if !is_full && !found.is_overflow {
            let mut known = keys.write().unwrap_or_else(PoisonError::into_inner);
            known.insert(key.clone(), found.handle.clone());
        }
        Some(found.handle)
    }
}

impl Facade for Recorder {
    fn describe_counter(&self, name: KeyName, _: Option<Unit>, help: SharedString) {
        self.describe(&name, &help);
    }

    fn describe_gauge(&self, name: KeyName, _: Option<Unit>, help: SharedString) {
        self.describe(&name, &help);
    }

    fn describe_histogram(&self, name: KeyName, _: Option<Unit>, help: SharedString) {
        self.describe(&name, &help);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let made = |name: &str, labels: &[(&str, &str)]| {
            let found = self.registry.as_ref()?.cell(Kind::Counter, name, labels)?;
            Some(found.map(|cell| Counter::from_arc(Arc::new(cell))))
        };
        Recorder::find(&self.counters, key, made).unwrap_or_else(Counter::noop)
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        let made = |name: &str, labels: &[(&str, &str)]| {
            let found = self.registry.as_ref()?.cell(Kind::Gauge, name, labels)?;
            Some(found.map(|cell| Gauge::from_arc(Arc::new(cell))))
        };
        Recorder::find(&self.gauges, key, made).unwrap_or_else(Gauge::noop)
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        let made = |name: &str, labels: &[(&str, &str)]| {
            let found = self.registry.as_ref()?.histogram(name, labels)?;
            Some(found.map(|buckets| Histogram::from_arc(Arc::new(buckets))))
        };
        Recorder::find(&self.histograms, key, made).unwrap_or_else(Histogram::noop)
    }
}
