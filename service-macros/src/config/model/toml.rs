//! Values of TOML: how they are written, and which is more.

use std::{
    cmp::Ordering,
    fmt::{self, Display, Write},
    time::Duration,
};

use super::kind::Kind;
use crate::args::parse_duration;

/// A value, shown as TOML.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Toml {
    Integer(i64),
    Float(f64),
    Bool(bool),
    Text(String),
    List(Vec<Toml>),
}

impl Toml {
    /// Whether a field of this kind can have the value.
    pub(super) fn may_be(&self, kind: &Kind) -> bool {
        match kind {
            Kind::Integer { .. } => matches!(self, Self::Integer(_)),
            Kind::Float => matches!(self, Self::Float(_)),
            Kind::Bool => matches!(self, Self::Bool(_)),
            Kind::Text | Kind::Duration => matches!(self, Self::Text(_)),
            Kind::Size => matches!(self, Self::Text(_) | Self::Integer(0..)),
            Kind::List(_) => matches!(self, Self::List(_)),
            Kind::Other => true,
        }
    }

    /// Compares two numbers, two durations or two sizes.
    pub(super) fn compare(&self, other: &Self, kind: &Kind) -> Option<Ordering> {
        match (self, other) {
            (Self::Integer(one), Self::Integer(two)) => Some(one.cmp(two)),
            (Self::Text(one), Self::Text(two)) if !matches!(kind, Kind::Size) => {
                match (duration(one), duration(two)) {
                    (Some(one), Some(two)) => Some(one.cmp(&two)),
                    _ => size(one)?.partial_cmp(&size(two)?),
                }
            }
            (one, two) if matches!(kind, Kind::Size) => one.size()?.partial_cmp(&two.size()?),
            (one, two) => one.number()?.partial_cmp(&two.number()?),
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Self::Integer(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }

    fn size(&self) -> Option<f64> {
        match self {
            Self::Text(text) => size(text),
            Self::Integer(bytes) => Some(*bytes as f64),
            _ => None,
        }
    }
}

impl Display for Toml {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(number) => write!(f, "{number}"),
            // Unlike `Display`, `Debug` writes the point that makes it a float in TOML.
            Self::Float(number) => write!(f, "{number:?}"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Text(text) => quoted(f, text),
            Self::List(values) => {
                f.write_char('[')?;
                for (place, value) in values.iter().enumerate() {
                    let comma = if place > 0 { ", " } else { "" };
                    write!(f, "{comma}{value}")?;
                }
                f.write_char(']')
            }
        }
    }
}

fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for letter in text.chars() {
        match letter {
            '"' | '\\' => write!(f, "\\{letter}")?,
            '\n' => f.write_str("\\n")?,
            '\t' => f.write_str("\\t")?,
            '\r' => f.write_str("\\r")?,
            control if control.is_control() => write!(f, "\\u{:04X}", u32::from(control))?,
            other => f.write_char(other)?,
        }
    }
    f.write_char('"')
}

fn duration(text: &str) -> Option<Duration> {
    parse_duration(text).ok()
}

/// The bytes of `64MiB`, as the configuration reads it.
pub(super) fn size(text: &str) -> Option<f64> {
    let text = text.trim().to_ascii_lowercase();
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let number = digits.trim_end().parse::<f64>().ok();
    let number = number.filter(|number| number.is_finite() && *number >= 0.0)?;
    let unit = text[digits.len()..].trim_end_matches('b');
    let (power, base) = match unit.strip_suffix('i') {
        Some(power) if !power.is_empty() => (power, 1024_f64),
        _ => (unit, 1000_f64),
    };
    let power = ["", "k", "m", "g", "t", "p", "e"]
        .iter()
        .position(|known| *known == power)?;
    Some(number * base.powi(i32::try_from(power).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_as_toml() {
        let text = Toml::Text("a \"b\" \\ \n\t\r\u{1}é".to_owned());
        assert_eq!(text.to_string(), r#""a \"b\" \\ \n\t\r\u0001é""#);
        let list = Toml::List(vec![Toml::Integer(-1), Toml::Float(1.0), Toml::Bool(true)]);
        assert_eq!(list.to_string(), "[-1, 1.0, true]");
        assert_eq!(Toml::Float(1e16).to_string(), "1e16");
        assert_eq!(Toml::List(Vec::new()).to_string(), "[]");
    }

    #[test]
    fn sizes_have_units_of_either_kind() {
        for (text, bytes) in [
            ("64MiB", 67_108_864.0),
            ("1.5 kB", 1500.0),
            ("7", 7.0),
            ("1K", 1e3),
        ] {
            assert_eq!(size(text), Some(bytes), "{text}");
        }
        for bad in ["", "MiB", "1s", "-1B", "1XB", "inf", "1 i"] {
            assert_eq!(size(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_what_is_alike_can_be_compared() {
        let text = |text: &str| Toml::Text(text.to_owned());
        let compare = |one: &Toml, two: &Toml| one.compare(two, &Kind::Other);
        assert_eq!(compare(&text("90s"), &text("1m")), Some(Ordering::Greater));
        assert_eq!(compare(&text("1MB"), &text("1MiB")), Some(Ordering::Less));
        assert_eq!(
            compare(&Toml::Integer(1), &Toml::Float(1.5)),
            Some(Ordering::Less)
        );
        assert_eq!(compare(&Toml::Integer(1), &text("5m")), None);
        assert_eq!(compare(&text("1s"), &text("5MiB")), None);
        assert_eq!(compare(&text("a"), &text("z")), None);
        assert_eq!(compare(&Toml::Bool(true), &Toml::Bool(true)), None);
        let bytes = Toml::Integer(4096).compare(&text("1MiB"), &Kind::Size);
        assert_eq!(bytes, Some(Ordering::Less));
    }
}
