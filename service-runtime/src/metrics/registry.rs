//! The writer's side of an arena: finds a series, or adds it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::handle::{Buckets, Cell};
use super::layout::{Kind, LONGEST_TEXT, MAGIC, UNSET, at};
use super::own;
use super::owner::Owner;
use super::place::Place;
use super::reader::{Garbled, load, read};
use super::series::{OVERFLOW, Refused, Series};
use super::settings::MetricSettings;
use crate::os::process::arena::{Word, Words};

/// One process's hold on its arena.
#[derive(Debug)]
pub(crate) struct Registry {
    words: Arc<Words>,
    series: Mutex<Series>,
    /// Whether it was said that the arena is full.
    is_full: AtomicBool,
}

/// What to count with.
pub(crate) struct Found<H> {
    pub(crate) handle: H,
    /// Whether it is the series of all that are over the limit.
    pub(crate) is_overflow: bool,
}

impl<H> Found<H> {
    pub(super) fn map<T>(self, with: impl FnOnce(H) -> T) -> Found<T> {
        Found {
            handle: with(self.handle),
            is_overflow: self.is_overflow,
        }
    }
}

impl Registry {
    /// Takes an arena over: what counts stays, gauges are not set, and a garbled one begins anew.
    pub(crate) fn open(words: Words, place: &Place, settings: MetricSettings) -> Self {
        let left = load(&words);
        let (series, garbled) = match read(&left) {
            Ok(arena) => (Series::of(&words, &left, arena.records, settings), None),
            Err(garbled) => (Series::empty(settings), Some(garbled)),
        };
        words[at::USED].store(series.used as u64, Ordering::Release);
        place.store(&words);
        words[at::OWNER].store(Owner::own().word(), Ordering::Release);
        words[at::MAGIC].store(MAGIC, Ordering::Release);
        if let Some(garbled) = garbled {
            say_garbled(garbled);
        }
        Self {
            words: Arc::new(words),
            series: Mutex::new(series),
            is_full: AtomicBool::new(false),
        }
    }

    /// Reads the arena, as others do.
    pub(crate) fn load(&self) -> Vec<u64> {
        load(&self.words)
    }

    /// Returns a counter or a gauge; `None` if there is no room for it.
    pub(crate) fn cell(
        &self,
        kind: Kind,
        name: &str,
        labels: &[(&str, &str)],
    ) -> Option<Found<Cell>> {
        let (at, is_overflow) = self.place(kind, name, labels)?;
        let word = Word::of(&self.words, at)?;
        if kind == Kind::Gauge {
            // One that somebody holds is 0 until it is set.
            let relaxed = Ordering::Relaxed;
            let _ = word.compare_exchange(UNSET, 0, relaxed, relaxed);
        }
        Some(Found {
            handle: Cell { word },
            is_overflow,
        })
    }

    /// Returns a histogram; `None` if there is no room for it.
    pub(crate) fn histogram(&self, name: &str, labels: &[(&str, &str)]) -> Option<Found<Buckets>> {
        let (place, is_overflow) = self.place(Kind::Histogram, name, labels)?;
        let bounds = self.lock().bounds(name);
        let handle = Buckets {
            words: Arc::clone(&self.words),
            at: place + bounds.len(),
            bounds,
        };
        Some(Found {
            handle,
            is_overflow,
        })
    }

    /// Says what a name is about; the first description counts.
    pub(crate) fn describe(&self, name: &str, help: &str) {
        self.lock().describe(&self.words, name, help);
    }

    /// Counts with a counter of the framework's own.
    pub(crate) fn count(&self, name: &str, labels: &[(&str, &str)], times: u64) {
        if let Some(counter) = self.own(Kind::Counter, name, labels) {
            counter.increment(times);
        }
    }

    /// Sets a gauge of the framework's own.
    pub(crate) fn set(&self, name: &str, labels: &[(&str, &str)], value: f64) {
        if let Some(gauge) = self.own(Kind::Gauge, name, labels) {
            ::metrics::GaugeFn::set(&gauge, value);
        }
    }

    /// Adds to a counter of seconds of the framework's own.
    pub(crate) fn add_time(&self, name: &str, labels: &[(&str, &str)], time: Duration) {
        if let Some(counter) = self.own(Kind::Seconds, name, labels) {
            counter.increment(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
        }
    }

    /// Returns one of the framework's own metrics, which is described then.
    pub(super) fn own(&self, kind: Kind, name: &str, labels: &[(&str, &str)]) -> Option<Cell> {
        let own = own::find(name);
        debug_assert!(
            own.is_some_and(|own| own.kind == kind),
            "`{name}` is in the list of own metrics"
        );
        self.describe(name, own?.help);
        Some(self.cell(kind, name, labels)?.handle)
    }

    fn lock(&self) -> MutexGuard<'_, Series> {
        self.series.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn place(&self, kind: Kind, name: &str, labels: &[(&str, &str)]) -> Option<(usize, bool)> {
        let (refused, warn, place, limit) = {
            let mut series = self.lock();
            let limit = series.limit();
            match series.find_or_add(&self.words, kind, name, labels) {
                Ok(place) => return Some((place, false)),
                Err(Refused::Kind) => (Refused::Kind, series.warns(name), None, limit),
                Err(Refused::Full) => {
                    let is_first = !self.is_full.swap(true, Ordering::Relaxed);
                    (Refused::Full, is_first, None, limit)
                }
                Err(refused) => {
                    let over = series.find_or_add(&self.words, kind, name, OVERFLOW);
                    (refused, series.warns(name), over.ok(), limit)
                }
            }
        };
        // Outside of the lock: whoever writes log lines may count them.
        if warn {
            match refused {
                Refused::Limit => tracing::warn!(
                    metric = name,
                    "more than {limit} series: further ones count as overflow=\"true\""
                ),
                Refused::Long => tracing::warn!(
                    metric = name,
                    "labels of more than {LONGEST_TEXT} bytes: such series count as overflow=\"true\""
                ),
                Refused::Kind => tracing::warn!(
                    metric = name,
                    "used as two kinds of metric: only the first counts"
                ),
                Refused::Full => {
                    tracing::warn!("the memory for metrics is full: no further series count");
                }
            }
        }
        place.map(|place| (place, true))
    }
}

fn say_garbled(garbled: Garbled) {
    tracing::error!(
        "the metrics that the worker before has left cannot be read, they begin anew: {garbled}"
    );
}
