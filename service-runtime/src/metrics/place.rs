//! Where in its program a process stands that writes an arena, as the arena's header tells it.

#[cfg(feature = "metrics")]
use std::sync::atomic::{AtomicU64, Ordering};

#[cfg(feature = "metrics")]
use super::layout::{POOL_WORDS, at};

/// The number for the supervisor, which is in no slot.
#[cfg(feature = "metrics")]
const SUPERVISOR: u64 = u64::MAX;

/// A process among those of its program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Place {
    /// The program's only one.
    #[default]
    Alone,
    /// The supervisor.
    #[cfg_attr(
        not(feature = "metrics"),
        expect(dead_code, reason = "without metrics nobody counts")
    )]
    Supervisor,
    /// A worker in a slot, perhaps of a pool of its own.
    Slot(usize, Option<String>),
}

impl Place {
    /// Returns the labels by which its gauges are told from those of others.
    #[cfg(feature = "metrics")]
    pub(crate) fn labels(&self) -> Vec<(String, String)> {
        let slot = |value: String| ("slot".to_owned(), value);
        match self {
            Self::Alone => Vec::new(),
            Self::Supervisor => vec![slot("supervisor".to_owned())],
            Self::Slot(number, None) => vec![slot(number.to_string())],
            Self::Slot(number, Some(pool)) => {
                vec![("pool".to_owned(), pool.clone()), slot(number.to_string())]
            }
        }
    }

    /// Writes it into a header.
    #[cfg(feature = "metrics")]
    pub(super) fn store(&self, header: &[AtomicU64]) {
        let (slot, pool) = match self {
            Self::Alone => (0, ""),
            Self::Supervisor => (SUPERVISOR, ""),
            Self::Slot(number, pool) => (*number as u64 + 1, pool.as_deref().unwrap_or("")),
        };
        header[at::SLOT].store(slot, Ordering::Relaxed);
        let mut bytes = [0; POOL_WORDS * size_of::<u64>()];
        let most = bytes.len().min(pool.len());
        let length = (0..=most).rev().find(|end| pool.is_char_boundary(*end));
        let length = length.unwrap_or(0);
        bytes[..length].copy_from_slice(&pool.as_bytes()[..length]);
        let words = bytes
            .as_chunks()
            .0
            .iter()
            .map(|word| u64::from_le_bytes(*word));
        for (place, word) in header[at::POOL..].iter().zip(words) {
            place.store(word, Ordering::Relaxed);
        }
    }

    /// Reads it from a header, whatever stands there.
    #[cfg(feature = "metrics")]
    pub(super) fn load(header: &[u64]) -> Self {
        let number = match header[at::SLOT] {
            0 => return Self::Alone,
            SUPERVISOR => return Self::Supervisor,
            slot => usize::try_from(slot - 1).unwrap_or(usize::MAX),
        };
        let words = header[at::POOL..at::POOL + POOL_WORDS].iter();
        let mut bytes: Vec<u8> = words.flat_map(|word| word.to_le_bytes()).collect();
        bytes.truncate(
            bytes
                .iter()
                .position(|byte| *byte == 0)
                .unwrap_or(bytes.len()),
        );
        let pool = String::from_utf8(bytes)
            .ok()
            .filter(|pool| !pool.is_empty());
        Self::Slot(number, pool)
    }
}

#[cfg(all(test, feature = "metrics"))]
mod tests {
    use super::super::layout::HEADER;
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        for place in [
            Place::Alone,
            Place::Supervisor,
            Place::Slot(0, None),
            Place::Slot(7, Some("mailer".to_owned())),
        ] {
            let header: Vec<_> = (0..HEADER).map(|_| AtomicU64::new(7)).collect();
            place.store(&header);
            let header: Vec<_> = header.iter().map(|w| w.load(Ordering::Relaxed)).collect();
            assert_eq!(Place::load(&header), place);
        }
    }

    #[test]
    fn a_long_name_of_a_pool_is_cut_between_letters() {
        let header: Vec<_> = (0..HEADER).map(|_| AtomicU64::new(0)).collect();
        Place::Slot(1, Some("ä".repeat(100))).store(&header);
        let header: Vec<_> = header.iter().map(|w| w.load(Ordering::Relaxed)).collect();
        assert_eq!(Place::load(&header), Place::Slot(1, Some("ä".repeat(32))));
    }
}
