//! How an arena looks: a header of words, then one record after another.
//!
//! A record is its length and kind in one word, the length of its text and a number in the next, the text
//! padded to whole words, and its values. The number is how many bounds a histogram has, or how a gauge is
//! merged. A record is there as soon as the header's count of used words has passed it, which is written last.

use super::settings::Merge;

/// The version of this layout: a process of another one cannot go on with an arena.
pub(super) const VERSION: &str = "2";

/// The first word of an arena: says what it is, and by which rules.
pub(super) const MAGIC: u64 = u64::from_be_bytes(*b"svcmet\x00\x02");

/// How many words an arena has: 1 MiB, of which only what is written uses memory.
pub(crate) const ARENA_WORDS: usize = (1 << 20) / size_of::<u64>();

/// How many words the header has.
pub(super) const HEADER: usize = 16;

/// The words of a header.
pub(super) mod at {
    pub(in crate::metrics) const MAGIC: usize = 0;
    /// Where the last record ends.
    pub(in crate::metrics) const USED: usize = 1;
    /// Which process writes, 0 for none: see `owner`.
    pub(in crate::metrics) const OWNER: usize = 2;
    /// In which slot it is, and the pool's name: see `place`.
    pub(in crate::metrics) const SLOT: usize = 3;
    pub(in crate::metrics) const POOL: usize = 4;
}

/// How many words the name of a pool has in a header; a longer name is cut off.
pub(super) const POOL_WORDS: usize = 8;

const _: () = assert!(at::POOL + POOL_WORDS <= HEADER);

/// The longest text of a record, in bytes.
pub(super) const LONGEST_TEXT: usize = 16 << 10;

/// The value of a gauge that nobody has set since its arena was taken over: a NaN that no sum comes to.
pub(super) const UNSET: u64 = 0x7ff8_0000_5e7c_0000;

/// What a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// One word, a number that only grows.
    Counter,
    /// One word, the bits of a number.
    Gauge,
    /// The bits of each bound, a count for each bound and one for what is above, the bits of the sum.
    Histogram,
    /// No value: the text is a name and what it is about.
    Help,
    /// One word, a number of nanoseconds that only grows: a counter of seconds.
    Seconds,
}

impl Kind {
    /// Returns the kind of a number in a record, if this version knows it.
    pub(super) fn of(number: u64) -> Option<Self> {
        Some(match number {
            1 => Self::Counter,
            2 => Self::Gauge,
            3 => Self::Histogram,
            4 => Self::Help,
            5 => Self::Seconds,
            _ => return None,
        })
    }

    fn number(self) -> u64 {
        match self {
            Self::Counter => 1,
            Self::Gauge => 2,
            Self::Histogram => 3,
            Self::Help => 4,
            Self::Seconds => 5,
        }
    }

    /// Returns how many words its values take.
    pub(super) fn values(self, bounds: usize) -> usize {
        match self {
            Self::Counter | Self::Gauge | Self::Seconds => 1,
            Self::Histogram => bounds + bounds + 2,
            Self::Help => 0,
        }
    }
}

impl Merge {
    /// Returns the number that stands in a record.
    pub(super) fn number(self) -> usize {
        match self {
            Self::Sum => 0,
            Self::Max => 1,
            Self::Min => 2,
            Self::Each => 3,
        }
    }

    pub(super) fn of(number: usize) -> Option<Self> {
        [Self::Sum, Self::Max, Self::Min, Self::Each]
            .into_iter()
            .find(|merge| merge.number() == number)
    }
}

/// Returns the two words at the beginning of a record, and how long it is.
pub(super) fn head(kind: Kind, text: usize, number: usize) -> ([u64; 2], usize) {
    let length = 2 + text.div_ceil(size_of::<u64>()) + kind.values(number);
    let words = [
        length as u64 | kind.number() << 32,
        text as u64 | (number as u64) << 32,
    ];
    (words, length)
}

/// Takes the words at the beginning of a record apart: length, kind, length of the text, number.
pub(super) fn parts(words: [u64; 2]) -> (usize, u64, usize, usize) {
    let low = |word: u64| usize::try_from(word & 0xffff_ffff).unwrap_or(usize::MAX);
    let high = |word: u64| word >> 32;
    let number = usize::try_from(high(words[1])).unwrap_or(usize::MAX);
    (low(words[0]), high(words[0]), low(words[1]), number)
}

/// Writes a name and labels as the text of a record; labels in the order of their names, so that the same
/// series is the same text.
pub(super) fn text(name: &str, labels: &[(&str, &str)]) -> Vec<u8> {
    let mut sorted = labels.to_vec();
    sorted.sort_unstable();
    // Of two labels of one name the last counts.
    sorted.reverse();
    sorted.dedup_by_key(|(key, _)| *key);
    sorted.reverse();
    let mut bytes = Vec::new();
    let parts = sorted.iter().flat_map(|(key, value)| [*key, *value]);
    for part in [name].into_iter().chain(parts) {
        bytes.extend((part.len() as u32).to_le_bytes());
        bytes.extend(part.as_bytes());
    }
    bytes
}

/// Reads a text back into its parts, the name first; `None` if it is none.
pub(super) fn read_text(mut bytes: &[u8]) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (part, rest) = rest.split_at_checked(length)?;
        parts.push(String::from_utf8(part.to_vec()).ok()?);
        bytes = rest;
    }
    (parts.len() % 2 == 1).then_some(parts)
}
