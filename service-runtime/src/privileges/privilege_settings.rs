//! What a program is told about who it is to be, what it may do, and under what limits.

use std::path::PathBuf;

use crate::size::Size;

/// The settings that a program gives rights up by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PrivilegeSettings {
    /// A name or a number.
    pub(crate) user: Option<String>,
    /// A name or a number.
    pub(crate) group: Option<String>,
    pub(crate) no_new: bool,
    pub(crate) umask: Option<u32>,
    pub(crate) chdir: Option<PathBuf>,
    pub(crate) limits: Limits,
}

/// Limits of the system on each process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) nofile: Option<Limit>,
    pub(crate) nproc: Option<Limit>,
    pub(crate) core: Option<Limit>,
    pub(crate) memlock: Option<Limit>,
    pub(crate) stack: Option<Limit>,
    pub(crate) address_space: Option<Limit>,
    pub(crate) fsize: Option<Limit>,
}

/// One limit; `None` is unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit {
    /// What holds.
    pub(crate) soft: Option<u64>,
    /// Up to where a process may raise it by itself.
    pub(crate) hard: Option<u64>,
}

impl Limit {
    /// Reads `65536`, `64MiB`, `unlimited`, or two of them with a colon between.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (soft, hard) = text.split_once(':').unwrap_or((text, text));
        let limit = Self {
            soft: one(soft.trim())?,
            hard: one(hard.trim())?,
        };
        let fits = match (limit.soft, limit.hard) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(soft), Some(hard)) => soft <= hard,
        };
        fits.then_some(limit)
    }
}

fn one(text: &str) -> Option<Option<u64>> {
    match text {
        "unlimited" => Some(None),
        text => Some(Some(text.parse::<Size>().ok()?.bytes())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_one_number_or_a_soft_and_a_hard_one() {
        let limit = |soft, hard| Some(Limit { soft, hard });
        assert_eq!(Limit::read("65536"), limit(Some(65536), Some(65536)));
        assert_eq!(Limit::read("1MiB:unlimited"), limit(Some(1 << 20), None));
        assert_eq!(Limit::read("unlimited"), limit(None, None));
        for bad in ["", "many", "-1", "2:1", "unlimited:1", "1:2:3"] {
            assert_eq!(Limit::read(bad), None, "{bad}");
        }
    }
}
