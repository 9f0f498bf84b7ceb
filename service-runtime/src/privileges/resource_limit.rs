//! A limit that the system holds a process to.

use std::fmt;

use crate::size::Size;

/// A limit that the system holds a process to, as `setrlimit(2)` takes it.
///
/// Made from a number or a [`Size`], which is both the soft and the hard limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResourceLimit {
    /// What holds; `None` is unlimited.
    pub(super) soft: Option<u64>,
    /// Up to where a process may raise it by itself; `None` is unlimited.
    pub(super) hard: Option<u64>,
}

impl ResourceLimit {
    /// No limit.
    pub const UNLIMITED: Self = Self {
        soft: None,
        hard: None,
    };

    /// Limits to `soft`, which a process may raise by itself up to `hard`; `None` is unlimited.
    ///
    /// A soft limit above the hard one is told when the program starts.
    pub fn soft_and_hard(soft: u64, hard: impl Into<Option<u64>>) -> Self {
        Self {
            soft: Some(soft),
            hard: hard.into(),
        }
    }

    /// Reads `65536`, `64MiB`, `unlimited`, or two of them with a colon between.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (soft, hard) = text.split_once(':').unwrap_or((text, text));
        let limit = Self {
            soft: read_one(soft.trim())?,
            hard: read_one(hard.trim())?,
        };
        let fits = match (limit.soft, limit.hard) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(soft), Some(hard)) => soft <= hard,
        };
        fits.then_some(limit)
    }
}

impl From<u64> for ResourceLimit {
    fn from(limit: u64) -> Self {
        Self::soft_and_hard(limit, limit)
    }
}

impl From<Size> for ResourceLimit {
    fn from(limit: Size) -> Self {
        limit.bytes().into()
    }
}

/// As the configuration writes it.
impl fmt::Display for ResourceLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_one(f, self.soft)?;
        if self.soft == self.hard {
            return Ok(());
        }
        f.write_str(":")?;
        write_one(f, self.hard)
    }
}

fn read_one(text: &str) -> Option<Option<u64>> {
    match text {
        "unlimited" => Some(None),
        text => Some(Some(text.parse::<Size>().ok()?.bytes())),
    }
}

fn write_one(f: &mut fmt::Formatter<'_>, limit: Option<u64>) -> fmt::Result {
    match limit {
        Some(limit) => write!(f, "{limit}"),
        None => f.write_str("unlimited"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_one_number_or_a_soft_and_a_hard_one() {
        let limit = |soft, hard| Some(ResourceLimit { soft, hard });
        assert_eq!(
            ResourceLimit::read("65536"),
            limit(Some(65536), Some(65536))
        );
        assert_eq!(
            ResourceLimit::read("1MiB:unlimited"),
            limit(Some(1 << 20), None)
        );
        assert_eq!(ResourceLimit::read("unlimited"), limit(None, None));
        for bad in ["", "many", "-1", "2:1", "unlimited:1", "1:2:3"] {
            assert_eq!(ResourceLimit::read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_limit_is_written_as_it_is_read() {
        for limit in [
            ResourceLimit::UNLIMITED,
            65536.into(),
            Size::from_bytes(64 << 20).into(),
            ResourceLimit::soft_and_hard(1024, 65536),
            ResourceLimit::soft_and_hard(1024, None),
        ] {
            assert_eq!(ResourceLimit::read(&limit.to_string()), Some(limit));
        }
    }
}
