//! Versions of an interface: `major.minor`.

use std::fmt;
use std::str::FromStr;

/// The version of an interface, or the one that a call asks for.
///
/// A server of version 1.4 answers calls of 1.0 to 1.4, and none of 1.5 or 2.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Grows when old callers no longer fit.
    pub major: u32,
    /// Grows with each addition that old callers need not know.
    pub minor: u32,
}

impl Version {
    /// Makes a version.
    #[must_use]
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }

    /// Returns whether a server of this version answers a call that asks for `wanted`.
    #[must_use]
    pub const fn answers(self, wanted: Self) -> bool {
        self.major == wanted.major && self.minor >= wanted.minor
    }
}

/// 1.0, which a call without a version asks for.
impl Default for Version {
    fn default() -> Self {
        Self::new(1, 0)
    }
}

/// Why a text is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a version: expected two numbers, as in `1.2`")]
pub struct VersionError(String);

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let parts = text.split_once('.');
        let parsed = parts.and_then(|(major, minor)| Some((number(major)?, number(minor)?)));
        let (major, minor) = parsed.ok_or_else(|| VersionError(text.to_owned()))?;
        Ok(Self { major, minor })
    }
}

/// Reads digits alone: `parse` takes a sign too.
fn number(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_two_numbers() {
        assert_eq!("1.12".parse(), Ok(Version::new(1, 12)));
        assert_eq!(Version::new(3, 0).to_string(), "3.0");
        for wrong in [
            "",
            "1",
            "1.",
            ".1",
            "1.2.3",
            "1.x",
            "+1.2",
            "-1.0",
            "99999999999.0",
        ] {
            let error = wrong.parse::<Version>().unwrap_err().to_string();
            assert!(error.contains("expected two numbers"), "{error}");
        }
    }
}
