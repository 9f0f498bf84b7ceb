//! Durations, written as people write them.

use std::time::Duration;

/// The longest duration that is read: a longer one means the same, and no clock overflows by adding it.
pub(crate) const MAX: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// Reads `500ms`, `30s` or `1h 30m`; what is longer than [`MAX`] becomes that.
///
/// `M` is refused: it means months to the crate that reads it and minutes to people.
pub(crate) fn read(text: &str) -> Option<Duration> {
    let text = text.trim();
    let units = text.split(|c: char| !c.is_alphabetic());
    if units.into_iter().any(|unit| unit == "M") {
        return None;
    }
    match humantime::parse_duration(text) {
        Ok(duration) => Some(duration.min(MAX)),
        Err(humantime::DurationError::NumberOverflow) => Some(MAX),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_not_a_minute() {
        assert_eq!(read("5m"), Some(Duration::from_secs(300)));
        assert_eq!(read("1h 5M"), None);
        assert_eq!(read("5M"), None);
        assert!(read("5months").is_some());
    }

    #[test]
    fn what_is_longer_than_any_clock_is_the_longest_duration() {
        for text in [
            "18446744073709551615s",
            "18446744073709551616s",
            "99999999999999999999999999y",
            "18446744073709551615years",
            "1000000y",
        ] {
            assert_eq!(read(text), Some(MAX), "{text}");
        }
        let _ = std::time::Instant::now() + MAX + MAX;
        let _ = std::time::SystemTime::now() + MAX + MAX;
    }
}
