//! The writer's side of an arena: finds a series, or adds it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::handle::{Buckets, Cell};
use super::layout::{HEADER, Kind, LONGEST_TEXT, MAGIC, MOST_BOUNDS, at, head, text};
use super::owner::Owner;
use super::reader::{Garbled, Reading, load, read};
use crate::os::process::arena::Words;

/// How many series a name may have in one process.
pub(crate) const MOST_SERIES: usize = 1_000;

/// The labels of the series that takes what is over the limit.
const OVERFLOW: &[(&str, &str)] = &[("overflow", "true")];

/// The bounds of a histogram of seconds.
const SECONDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
];

/// The bounds of a histogram of bytes: from 256 bytes to 64 MiB.
const BYTES: &[f64] = &[
    256.0,
    1024.0,
    4096.0,
    16384.0,
    65536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];

/// The bounds of any other histogram.
const OTHER: &[f64] = &[
    1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10_000.0,
];

/// One process's hold on its arena.
#[derive(Debug)]
pub(crate) struct Registry {
    words: Arc<Words>,
    series: Mutex<Series>,
    /// Whether it was said that the arena is full.
    is_full: AtomicBool,
}

#[derive(Debug, Default)]
struct Series {
    used: usize,
    /// Where the values of each series begin.
    places: HashMap<(Kind, Vec<u8>), usize>,
    names: HashMap<String, Name>,
}

#[derive(Debug)]
struct Name {
    kind: Kind,
    count: usize,
    bounds: Option<Arc<[f64]>>,
    warned: bool,
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

/// Why a series is not the one that was asked for.
enum Refused {
    Limit,
    Kind,
    Full,
    Long,
}

impl Registry {
    /// Takes an arena over: what counts stays, gauges begin at zero, and a garbled one begins anew.
    pub(crate) fn open(words: Words) -> Self {
        let left = load(&words);
        let (series, garbled) = match read(&left) {
            Ok(arena) => (Series::of(&words, &left, arena.records), None),
            Err(garbled) => (Series::empty(), Some(garbled)),
        };
        words[at::USED].store(series.used as u64, Ordering::Release);
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
        let (at, is_overflow) = self.place(kind, name, labels, &[])?;
        let words = Arc::clone(&self.words);
        Some(Found {
            handle: Cell { words, at },
            is_overflow,
        })
    }

    /// Returns a histogram; `None` if there is no room for it.
    pub(crate) fn histogram(&self, name: &str, labels: &[(&str, &str)]) -> Option<Found<Buckets>> {
        let default = default_bounds(name);
        let (place, is_overflow) = self.place(Kind::Histogram, name, labels, default)?;
        let bounds = self.lock().names.get(name)?.bounds.clone()?;
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
        let bytes = text(name, &[("help", help)]);
        let mut series = self.lock();
        let key = (Kind::Help, text(name, &[]));
        if bytes.len() <= LONGEST_TEXT && !series.places.contains_key(&key) {
            let added = series.add(&self.words, Kind::Help, &bytes, &[]);
            series.places.extend(added.map(|at| (key, at)));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Series> {
        self.series.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn place(
        &self,
        kind: Kind,
        name: &str,
        labels: &[(&str, &str)],
        bounds: &[f64],
    ) -> Option<(usize, bool)> {
        let (refused, warn, place) = {
            let mut series = self.lock();
            match series.find_or_add(&self.words, kind, (name, labels), bounds) {
                Ok(place) => return Some((place, false)),
                Err(Refused::Kind) => (Refused::Kind, series.warns(name), None),
                Err(Refused::Full) => (
                    Refused::Full,
                    !self.is_full.swap(true, Ordering::Relaxed),
                    None,
                ),
                Err(refused) => {
                    let over = (name, OVERFLOW);
                    let place = series.find_or_add(&self.words, kind, over, bounds).ok();
                    (refused, series.warns(name), place)
                }
            }
        };
        // Outside of the lock: whoever writes log lines may count them.
        if warn {
            match refused {
                Refused::Limit => tracing::warn!(
                    metric = name,
                    "more than {MOST_SERIES} series: further ones count as overflow=\"true\""
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

impl Series {
    fn empty() -> Self {
        Self {
            used: HEADER,
            ..Self::default()
        }
    }

    /// Takes over what another process has left.
    fn of(words: &Words, left: &[u64], records: Vec<super::reader::Record>) -> Self {
        let mut series = Self::empty();
        if left[at::MAGIC] == MAGIC {
            series.used = usize::try_from(left[at::USED]).unwrap_or(HEADER);
        }
        for record in records {
            let kind = record.value.kind();
            if kind == Kind::Help {
                let key = (kind, text(&record.name, &[]));
                series.places.insert(key, record.at);
                continue;
            }
            let bounds = match record.value {
                Reading::Gauge(_) => {
                    words[record.at].store(0, Ordering::Relaxed);
                    None
                }
                Reading::Histogram(bounds, ..) => Some(bounds.into()),
                Reading::Counter(_) | Reading::Help(_) => None,
            };
            series.note(kind, &record.name, bounds);
            series.places.insert((kind, record.text), record.at);
        }
        series
    }

    fn note(&mut self, kind: Kind, name: &str, bounds: Option<Arc<[f64]>>) {
        let new = Name {
            kind,
            count: 0,
            bounds,
            warned: false,
        };
        self.names.entry(name.to_owned()).or_insert(new).count += 1;
    }

    /// Returns whether a warning about a name is the first.
    fn warns(&mut self, name: &str) -> bool {
        let name = self.names.get_mut(name);
        name.is_none_or(|name| !std::mem::replace(&mut name.warned, true))
    }

    fn find_or_add(
        &mut self,
        words: &Words,
        kind: Kind,
        (name, labels): (&str, &[(&str, &str)]),
        bounds: &[f64],
    ) -> Result<usize, Refused> {
        let key = (kind, text(name, labels));
        if let Some(place) = self.places.get(&key) {
            return Ok(*place);
        }
        if key.1.len() > LONGEST_TEXT {
            return Err(Refused::Long);
        }
        let known = self.names.get(name);
        if known.is_some_and(|known| known.kind != kind) {
            return Err(Refused::Kind);
        }
        if labels != OVERFLOW && known.is_some_and(|known| known.count >= MOST_SERIES) {
            return Err(Refused::Limit);
        }
        let bounds: Arc<[f64]> = match known.and_then(|known| known.bounds.clone()) {
            Some(bounds) => bounds,
            None => bounds.into(),
        };
        let place = self
            .add(words, kind, &key.1, &bounds)
            .ok_or(Refused::Full)?;
        let bounds = (kind == Kind::Histogram).then_some(bounds);
        self.note(kind, name, bounds);
        self.places.insert(key, place);
        Ok(place)
    }

    /// Writes a record behind the others; it counts once the header says so.
    fn add(&mut self, words: &Words, kind: Kind, text: &[u8], bounds: &[f64]) -> Option<usize> {
        debug_assert!(
            bounds.len() <= MOST_BOUNDS,
            "bounds are the constants above"
        );
        let (first, length) = head(kind, text.len(), bounds.len());
        let end = self.used + length;
        let record = words.get(self.used..end)?;
        let letters = text.chunks(size_of::<u64>()).map(|chunk| {
            let mut word = [0; size_of::<u64>()];
            word[..chunk.len()].copy_from_slice(chunk);
            u64::from_le_bytes(word)
        });
        let values = length - kind.values(bounds.len());
        let limits = bounds.iter().map(|bound| bound.to_bits());
        // What stands behind the used words may be left of a writer that was killed.
        let zeros = std::iter::repeat_n(0, kind.values(bounds.len()) - limits_of(kind, bounds));
        let content = first.into_iter().chain(letters).chain(limits).chain(zeros);
        for (word, value) in record.iter().zip(content) {
            word.store(value, Ordering::Relaxed);
        }
        words[at::USED].store(end as u64, Ordering::Release);
        let place = self.used + values;
        self.used = end;
        Some(place)
    }
}

fn limits_of(kind: Kind, bounds: &[f64]) -> usize {
    if kind == Kind::Histogram {
        bounds.len()
    } else {
        0
    }
}

fn default_bounds(name: &str) -> &'static [f64] {
    if name.ends_with("_seconds") {
        SECONDS
    } else if name.ends_with("_bytes") {
        BYTES
    } else {
        OTHER
    }
}

fn say_garbled(garbled: Garbled) {
    tracing::error!(
        "the metrics that the worker before has left cannot be read, they begin anew: {garbled}"
    );
}
