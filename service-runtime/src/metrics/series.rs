//! The series of an arena, as its writer knows them: where each stands, and how a new one is added.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::layout::{HEADER, Kind, LONGEST_TEXT, MAGIC, UNSET, at, head, text};
use super::own;
use super::reader::{Reading, Record};
use super::settings::{MOST_BOUNDS, Merge, MetricSettings};
use crate::os::process::arena::Words;

/// The labels of the series that takes what is over the limit.
pub(super) const OVERFLOW: &[(&str, &str)] = &[("overflow", "true")];

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

/// All series of an arena.
#[derive(Debug, Default)]
pub(super) struct Series {
    pub(super) used: usize,
    /// Where the values of each series begin.
    places: HashMap<(Kind, Vec<u8>), usize>,
    names: HashMap<String, Name>,
    settings: MetricSettings,
}

#[derive(Debug)]
struct Name {
    kind: Kind,
    count: usize,
    bounds: Arc<[f64]>,
    warned: bool,
}

/// Why a series is not the one that was asked for.
pub(super) enum Refused {
    Limit,
    Kind,
    Full,
    Long,
}

impl Series {
    pub(super) fn empty(settings: MetricSettings) -> Self {
        Self {
            used: HEADER,
            settings,
            ..Self::default()
        }
    }

    /// Takes over what another process has left: gauges are not set, and a histogram that has other bounds by
    /// now stays as it is, beside a new one.
    pub(super) fn of(
        words: &Words,
        left: &[u64],
        records: Vec<Record>,
        settings: MetricSettings,
    ) -> Self {
        let mut series = Self::empty(settings);
        if left[at::MAGIC] == MAGIC {
            series.used = usize::try_from(left[at::USED]).unwrap_or(HEADER);
        }
        for record in records {
            let kind = record.value.kind();
            match record.value {
                Reading::Help(_) => {
                    let key = (kind, text(&record.name, &[]));
                    series.places.insert(key, record.at);
                    continue;
                }
                Reading::Gauge(..) => {
                    words[record.at].store(UNSET, Ordering::Relaxed);
                    let merge = series.merge(&record.name).number();
                    let (head, _) = head(kind, record.text.len(), merge);
                    let begin = record.at - 2 - record.text.len().div_ceil(size_of::<u64>());
                    words[begin + 1].store(head[1], Ordering::Relaxed);
                }
                Reading::Histogram(bounds, ..) if *bounds != *series.bounds(&record.name) => {
                    continue;
                }
                Reading::Histogram(..) | Reading::Counter(_) | Reading::Seconds(_) => {}
            }
            series.note(kind, &record.name);
            series.places.insert((kind, record.text), record.at);
        }
        series
    }

    /// Returns how many series a name may have.
    pub(super) fn limit(&self) -> usize {
        self.settings.series
    }

    /// Returns how a gauge is merged.
    fn merge(&self, name: &str) -> Merge {
        let told = self.settings.gauges.get(name).copied();
        told.unwrap_or_else(|| own::find(name).map_or(Merge::Sum, |own| own.merge))
    }

    /// Returns the bounds of a histogram.
    pub(super) fn bounds(&self, name: &str) -> Arc<[f64]> {
        if let Some(known) = self.names.get(name).filter(|n| n.kind == Kind::Histogram) {
            return Arc::clone(&known.bounds);
        }
        match self.settings.buckets.get(name) {
            Some(bounds) => bounds.as_slice().into(),
            None if name.ends_with("_seconds") => SECONDS.into(),
            None if name.ends_with("_bytes") => BYTES.into(),
            None => OTHER.into(),
        }
    }

    fn note(&mut self, kind: Kind, name: &str) {
        if let Some(known) = self.names.get_mut(name) {
            known.count += 1;
            return;
        }
        let bounds = match kind {
            Kind::Histogram => self.bounds(name),
            _ => Arc::default(),
        };
        let new = Name {
            kind,
            count: 1,
            bounds,
            warned: false,
        };
        self.names.insert(name.to_owned(), new);
    }

    /// Returns whether a warning about a name is the first.
    pub(super) fn warns(&mut self, name: &str) -> bool {
        let name = self.names.get_mut(name);
        name.is_none_or(|name| !std::mem::replace(&mut name.warned, true))
    }

    /// Says what a name is about; the first description counts.
    pub(super) fn describe(&mut self, words: &Words, name: &str, help: &str) {
        let bytes = text(name, &[("help", help)]);
        let key = (Kind::Help, text(name, &[]));
        if bytes.len() <= LONGEST_TEXT && !self.places.contains_key(&key) {
            let added = self.add(words, Kind::Help, &bytes, Contents::None);
            self.places.extend(added.map(|at| (key, at)));
        }
    }

    /// Returns where the values of a series begin.
    pub(super) fn find_or_add(
        &mut self,
        words: &Words,
        kind: Kind,
        name: &str,
        labels: &[(&str, &str)],
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
        let limit = self.settings.series;
        if labels != OVERFLOW && known.is_some_and(|known| known.count >= limit) {
            return Err(Refused::Limit);
        }
        let bounds = self.bounds(name);
        let contents = match kind {
            Kind::Histogram => Contents::Bounds(&bounds),
            Kind::Gauge => Contents::Gauge(self.merge(name)),
            Kind::Counter | Kind::Seconds | Kind::Help => Contents::None,
        };
        let added = self.add(words, kind, &key.1, contents);
        let place = added.ok_or(Refused::Full)?;
        self.note(kind, name);
        self.places.insert(key, place);
        Ok(place)
    }

    /// Writes a record behind the others; it counts once the header says so.
    fn add(
        &mut self,
        words: &Words,
        kind: Kind,
        text: &[u8],
        contents: Contents<'_>,
    ) -> Option<usize> {
        let (number, first): (_, Vec<u64>) = match contents {
            Contents::None => (0, Vec::new()),
            Contents::Gauge(merge) => (merge.number(), vec![UNSET]),
            Contents::Bounds(bounds) => {
                debug_assert!(bounds.len() <= MOST_BOUNDS, "settings have checked it");
                let bits = bounds.iter().map(|bound| bound.to_bits());
                (bounds.len(), bits.collect())
            }
        };
        let (head, length) = head(kind, text.len(), number);
        let end = self.used + length;
        let record = words.get(self.used..end)?;
        let letters = text.chunks(size_of::<u64>()).map(|chunk| {
            let mut word = [0; size_of::<u64>()];
            word[..chunk.len()].copy_from_slice(chunk);
            u64::from_le_bytes(word)
        });
        let values = length - kind.values(number);
        // What stands behind the used words may be left of a writer that was killed.
        let zeros = std::iter::repeat(0);
        let content = head.into_iter().chain(letters).chain(first).chain(zeros);
        for (word, value) in record.iter().zip(content) {
            word.store(value, Ordering::Relaxed);
        }
        words[at::USED].store(end as u64, Ordering::Release);
        let place = self.used + values;
        self.used = end;
        Some(place)
    }
}

/// What a new record holds at first.
enum Contents<'a> {
    None,
    Gauge(Merge),
    Bounds(&'a [f64]),
}
