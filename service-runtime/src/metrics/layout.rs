//! How an arena looks: a header of words, then one record after another.
//!
//! A record is its length and kind in one word, the length of its text and how many bounds it has in the
//! next, the text padded to whole words, and its values. A record is there as soon as the header's count of
//! used words has passed it, which is written last.

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
}

/// The longest text of a record, in bytes.
pub(super) const LONGEST_TEXT: usize = 16 << 10;

/// The most bounds of a histogram.
pub(crate) const MOST_BOUNDS: usize = 64;

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
}

impl Kind {
    /// Returns the kind of a number in a record, if this version knows it.
    pub(super) fn of(number: u64) -> Option<Self> {
        Some(match number {
            1 => Self::Counter,
            2 => Self::Gauge,
            3 => Self::Histogram,
            4 => Self::Help,
            _ => return None,
        })
    }

    fn number(self) -> u64 {
        match self {
            Self::Counter => 1,
            Self::Gauge => 2,
            Self::Histogram => 3,
            Self::Help => 4,
        }
    }

    /// Returns how many words its values take.
    pub(super) fn values(self, bounds: usize) -> usize {
        match self {
            Self::Counter | Self::Gauge => 1,
            Self::Histogram => bounds + bounds + 2,
            Self::Help => 0,
        }
    }
}

/// Returns the two words at the beginning of a record, and how long it is.
pub(super) fn head(kind: Kind, text: usize, bounds: usize) -> ([u64; 2], usize) {
    let length = 2 + text.div_ceil(size_of::<u64>()) + kind.values(bounds);
    let words = [
        length as u64 | kind.number() << 32,
        text as u64 | (bounds as u64) << 32,
    ];
    (words, length)
}

/// Takes the words at the beginning of a record apart: length, kind, length of the text, bounds.
pub(super) fn parts(words: [u64; 2]) -> (usize, u64, usize, usize) {
    let low = |word: u64| usize::try_from(word & 0xffff_ffff).unwrap_or(usize::MAX);
    let high = |word: u64| word >> 32;
    let bounds = usize::try_from(high(words[1])).unwrap_or(usize::MAX);
    (low(words[0]), high(words[0]), low(words[1]), bounds)
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
