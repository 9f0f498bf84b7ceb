//! Sizes in bytes, written as people write them.

use std::{fmt, str::FromStr};

/// What a size looks like, for error messages.
pub(crate) const EXPECTED: &str = "a size such as `64MiB` or `1.5GB`";

/// The units, the longer ones first where one ends as another does.
const UNITS: [(&str, u64); 13] = [
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
    ("kb", 1000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("k", 1000),
    ("m", 1_000_000),
    ("g", 1_000_000_000),
    ("t", 1_000_000_000_000),
    ("b", 1),
];

/// How many digits may stand behind the point.
const FRACTION_DIGITS: usize = 18;

/// A number of bytes, written `64MiB`, `1.5GB`, or as a plain number of bytes.
///
/// `KiB`, `MiB`, `GiB`, `TiB` count in steps of 1024; `kB`, `MB`, `GB`, `TB` (and `K`, `M`, `G`, `T`) in
/// steps of 1000.
///
/// # Examples
///
/// ```
/// use service_runtime::Size;
///
/// let size: Size = "64MiB".parse().unwrap();
/// assert_eq!(size.bytes(), 64 * 1024 * 1024);
/// assert_eq!(size.to_string(), "64MiB");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size(u64);

impl Size {
    /// Makes a size of that many bytes.
    pub const fn from_bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// Returns the number of bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

/// The text is not a size, or is larger than any.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {EXPECTED}, found `{0}`")]
pub struct SizeError(String);

impl FromStr for Size {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, SizeError> {
        read(text.trim())
            .map(Self)
            .ok_or_else(|| SizeError(text.trim().to_owned()))
    }
}

/// Reads without rounding: what a fraction of a byte is left is cut off.
fn read(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let with_unit = UNITS
        .iter()
        .find_map(|(unit, factor)| Some((lower.strip_suffix(unit)?.trim_end(), *factor)));
    let (number, factor) = with_unit.unwrap_or((&lower, 1));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > FRACTION_DIGITS {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let scale = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let fraction: u128 = fraction.parse().ok()?;
    let bytes = u128::from(whole) * u128::from(factor) + fraction * u128::from(factor) / scale;
    u64::try_from(bytes).ok()
}

/// Writes the size exactly, in the largest unit that divides it.
impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u32, &str); 4] = [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")];
        let fits = |shift: u32| self.0 != 0 && self.0.is_multiple_of(1 << shift);
        match UNITS.into_iter().find(|(shift, _)| fits(*shift)) {
            Some((shift, unit)) => write!(f, "{}{unit}", self.0 >> shift),
            None => write!(f, "{}B", self.0),
        }
    }
}

#[cfg(feature = "config")]
mod deserialize {
    use serde::de::{self, Deserialize, Deserializer, Visitor};

    use super::*;

    impl<'de> Deserialize<'de> for Size {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_any(SizeVisitor)
        }
    }

    struct SizeVisitor;

    impl Visitor<'_> for SizeVisitor {
        type Value = Size;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(EXPECTED)
        }

        fn visit_i64<E: de::Error>(self, bytes: i64) -> Result<Size, E> {
            let wrong = |_| E::invalid_value(de::Unexpected::Signed(bytes), &self);
            u64::try_from(bytes).map(Size).map_err(wrong)
        }

        fn visit_u64<E: de::Error>(self, bytes: u64) -> Result<Size, E> {
            Ok(Size(bytes))
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Size, E> {
            text.parse()
                .map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_are_written_as_people_write_them() {
        let bytes = |text: &str| text.parse().map(Size::bytes).ok();
        assert_eq!(bytes("64MiB"), Some(64 << 20));
        assert_eq!(bytes("1.5 GiB"), Some(3 << 29));
        assert_eq!(bytes("10kB"), Some(10_000));
        assert_eq!(bytes("10 mb"), Some(10_000_000));
        assert_eq!(bytes("1K"), Some(1000));
        assert_eq!(bytes("4096"), Some(4096));
        assert_eq!(bytes("0"), Some(0));
        assert_eq!(bytes("18446744073709551615"), Some(u64::MAX));
        assert_eq!(bytes("9007199254740993B"), Some(9_007_199_254_740_993));
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in [
            "",
            "MiB",
            "-1",
            "+1",
            ".5MiB",
            "1.MiB",
            "1e3",
            "5 apples",
            "99999999999999TiB",
            "18446744073709551616",
        ] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_written_size_reads_back(bytes: u64) {
            prop_assert_eq!(Size(bytes).to_string().parse(), Ok(Size(bytes)));
        }
    }
}
