//! Reads an arena, as whatever its writer has left there.

use std::sync::atomic::{AtomicU64, Ordering};

use super::layout::{HEADER, Kind, LONGEST_TEXT, MAGIC, at, head, parts, read_text};
use super::owner::Owner;
use super::place::Place;
use super::settings::{MOST_BOUNDS, Merge};

/// What an arena held when it was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Arena {
    /// The process that writes it; `None` if that has ended.
    pub(crate) owner: Option<Owner>,
    /// Where in the program that process stands, or stood.
    pub(crate) place: Place,
    pub(crate) records: Vec<Record>,
}

/// One series, or a description.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record {
    pub(crate) name: String,
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) value: Reading,
    /// In which word of the arena its values begin.
    pub(super) at: usize,
    /// Its text, as it stands in the arena.
    pub(super) text: Vec<u8>,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reading {
    Counter(u64),
    /// Its value, and how those of several processes are merged.
    Gauge(f64, Merge),
    /// Bounds, counts of which there is one more, and the sum.
    Histogram(Vec<f64>, Vec<u64>, f64),
    Help(String),
    /// Nanoseconds.
    Seconds(u64),
}

impl Reading {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Counter(_) => Kind::Counter,
            Self::Gauge(..) => Kind::Gauge,
            Self::Histogram(..) => Kind::Histogram,
            Self::Help(_) => Kind::Help,
            Self::Seconds(_) => Kind::Seconds,
        }
    }
}

/// Why an arena cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Garbled {
    /// Its first word is another's.
    #[error("it is no arena of this version")]
    Magic,
    /// The header counts more words than there are.
    #[error("its header is wrong")]
    Header,
    /// A record reaches out of the arena, or out of itself.
    #[error("its record at word {0} is wrong")]
    Record(usize),
}

/// Copies the words of an arena that are in use: no others, because reading them would use memory too.
pub(super) fn load(words: &[AtomicU64]) -> Vec<u64> {
    let copy = |part: &[AtomicU64]| -> Vec<u64> {
        let words = part.iter().map(|word| word.load(Ordering::Acquire));
        words.collect()
    };
    let header = copy(&words[..HEADER.min(words.len())]);
    let used = header.get(at::USED).map_or(0, |used| *used);
    let used = usize::try_from(used).unwrap_or(usize::MAX);
    let records = words.get(HEADER..used.min(words.len()));
    [header, records.map(copy).unwrap_or_default()].concat()
}

/// Reads the words of an arena; one that nobody has written yet is empty.
///
/// # Errors
///
/// Returns an error if any of it cannot be: then none of it counts.
pub(crate) fn read(words: &[u64]) -> Result<Arena, Garbled> {
    let header = words.get(..HEADER).ok_or(Garbled::Header)?;
    match header[at::MAGIC] {
        0 => return Ok(Arena::default()),
        MAGIC => {}
        _ => return Err(Garbled::Magic),
    }
    let used = usize::try_from(header[at::USED]).map_err(|_| Garbled::Header)?;
    if used < HEADER || used > words.len() {
        return Err(Garbled::Header);
    }
    let mut records = Vec::new();
    let mut place = HEADER;
    while place < used {
        let (record, length) = record(&words[..used], place).ok_or(Garbled::Record(place))?;
        records.extend(record);
        place += length;
    }
    Ok(Arena {
        owner: Owner::of(header[at::OWNER]),
        place: Place::load(header),
        records,
    })
}

/// Reads the record at `place`, and how long it is; one of a kind that is not known here is left out.
fn record(words: &[u64], place: usize) -> Option<(Option<Record>, usize)> {
    let first = [*words.get(place)?, *words.get(place + 1)?];
    let (length, kind, text_length, bounds) = parts(first);
    let body = words.get(place..place.checked_add(length)?)?;
    let Some(kind) = Kind::of(kind) else {
        return (length >= 2).then_some((None, length));
    };
    if text_length > LONGEST_TEXT || bounds > MOST_BOUNDS {
        return None;
    }
    if head(kind, text_length, bounds).1 != length {
        return None;
    }
    let values = length - kind.values(bounds);
    let mut text: Vec<u8> = body[2..values]
        .iter()
        .flat_map(|word| word.to_le_bytes())
        .collect();
    text.truncate(text_length);
    let mut parts = read_text(&text)?.into_iter();
    let name = parts.next()?;
    let mut labels = Vec::new();
    while let (Some(key), Some(value)) = (parts.next(), parts.next()) {
        labels.push((key, value));
    }
    let value = match (kind, &body[values..]) {
        (Kind::Counter, [count]) => Reading::Counter(*count),
        (Kind::Seconds, [nanos]) => Reading::Seconds(*nanos),
        (Kind::Gauge, [bits]) => Reading::Gauge(f64::from_bits(*bits), Merge::of(bounds)?),
        (Kind::Histogram, [of_histogram @ .., sum]) => {
            let (limits, counts) = of_histogram.split_at_checked(bounds)?;
            let limits: Vec<f64> = limits.iter().map(|bits| f64::from_bits(*bits)).collect();
            if !limits.is_sorted_by(|one, next| one < next) || limits.iter().any(|l| !l.is_finite())
            {
                return None;
            }
            Reading::Histogram(limits, counts.to_vec(), f64::from_bits(*sum))
        }
        (Kind::Help, []) => {
            let (_, help) = labels.pop()?;
            Reading::Help(help)
        }
        _ => return None,
    };
    let record = Record {
        name,
        labels,
        value,
        at: place + values,
        text,
    };
    Some((Some(record), length))
}
