//! Text from the environment, `--set` and flags, read as what its field asks for.

use std::time::Duration;

use crate::config::{Origin, Value, parse};

/// What a duration looks like, for error messages.
pub(crate) const DURATION: &str = "a duration such as `5s` or `1m 30s`";

/// Reads `true`, `yes`, `on`, `1` and their opposites, in any case.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// Reads an integer in any of TOML's forms: `1_000`, `0x1f`, `-5`.
pub(crate) fn integer(text: &str) -> Option<i128> {
    let text = text.trim();
    text.parse().ok().or_else(|| match toml(text)? {
        Value::Integer(number) => Some(number),
        _ => None,
    })
}

/// Reads a number with or without a fraction.
pub(crate) fn float(text: &str) -> Option<f64> {
    let text = text.trim();
    text.parse().ok().or_else(|| match toml(text)? {
        Value::Integer(number) => Some(number as f64),
        Value::Float(number) => Some(number),
        _ => None,
    })
}

/// Reads an array or a table in TOML syntax, which open with `bracket`.
pub(crate) fn bracketed(text: &str, bracket: char) -> Option<Value> {
    text.trim_start()
        .starts_with(bracket)
        .then(|| toml(text))
        .flatten()
}

/// Reads a duration from a string or text; a bare number is one only if it is zero.
pub(crate) fn duration(value: &Value) -> Option<Duration> {
    match value {
        Value::Integer(0) => Some(Duration::ZERO),
        Value::String(text) | Value::Text(text) if text.trim() == "0" => Some(Duration::ZERO),
        Value::String(text) | Value::Text(text) => crate::duration::read(text),
        _ => None,
    }
}

fn toml(text: &str) -> Option<Value> {
    parse::value(text, &Origin::Default).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_every_form_of_toml() {
        for (text, number) in [
            ("10", 10),
            (" -5 ", -5),
            ("1_000", 1000),
            ("0x1f", 31),
            ("0o22", 18),
        ] {
            assert_eq!(integer(text), Some(number), "{text}");
        }
        for text in ["", "1.5", "ten", "1\nb = 2"] {
            assert_eq!(integer(text), None, "{text}");
        }
    }

    #[test]
    fn a_duration_needs_a_unit_unless_it_is_zero() {
        let read = |text: &str| duration(&Value::text(text));
        assert_eq!(read("1m 30s"), Some(Duration::from_secs(90)));
        assert_eq!(read("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(read("0"), Some(Duration::ZERO));
        assert_eq!(read("60"), None);
        assert_eq!(duration(&Value::Integer(60)), None);
    }

    #[test]
    fn switches_are_read_in_any_case() {
        assert_eq!(boolean("Yes"), Some(true));
        assert_eq!(boolean("OFF"), Some(false));
        assert_eq!(boolean("maybe"), None);
    }

    #[test]
    fn an_array_is_read_only_where_it_opens_with_its_bracket() {
        assert!(matches!(bracketed("[1, 2]", '['), Some(Value::Array(items)) if items.len() == 2));
        assert!(bracketed("{ a = 1 }", '[').is_none());
        assert!(bracketed("[1, 2", '[').is_none());
    }
}
