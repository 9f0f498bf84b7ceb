//! Literals of Rust as values of TOML.

use std::{
    cmp::Ordering,
    fmt::{self, Display, Write},
    time::Duration,
};

use quote::ToTokens;
use syn::{Expr, ExprLit, Lit, LitInt, UnOp};

use super::{kind::Kind, source::source};
use crate::{
    args::{bare, parse_duration},
    problem::problem,
};

/// A value, shown as TOML.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Toml {
    Integer(i64),
    Float(f64),
    Bool(bool),
    Text(String),
    List(Vec<Toml>),
}

/// What a literal is for: its argument, and the field that it must fit.
pub(super) struct Place<'a> {
    /// The option of `#[config]`.
    pub(super) option: &'static str,
    pub(super) kind: &'a Kind,
    /// The field's type as written.
    pub(super) ty: &'a str,
}

impl Place<'_> {
    /// Reads a literal that fits the field.
    pub(super) fn read(&self, expr: &Expr) -> syn::Result<Toml> {
        let value = self.literal(expr)?;
        self.fit(expr, value)
    }

    fn literal(&self, expr: &Expr) -> syn::Result<Toml> {
        match bare(expr) {
            Expr::Lit(ExprLit { lit, .. }) => self.lit(lit, false),
            Expr::Unary(negative) if matches!(negative.op, UnOp::Neg(_)) => {
                match bare(&negative.expr) {
                    Expr::Lit(ExprLit {
                        lit: lit @ (Lit::Int(_) | Lit::Float(_)),
                        ..
                    }) => self.lit(lit, true),
                    _ => Err(self.no_literal(expr)),
                }
            }
            Expr::Array(list) => {
                let of = match self.kind {
                    Kind::List(of) => of,
                    _ => &Kind::Other,
                };
                let (option, ty) = (self.option, self.ty);
                let inner = Place {
                    kind: of,
                    ty,
                    option,
                };
                let mut values = Vec::new();
                let mut errors: Option<syn::Error> = None;
                for element in &list.elems {
                    match (inner.read(element), &mut errors) {
                        (Ok(value), _) => values.push(value),
                        (Err(error), Some(all)) => all.combine(error),
                        (Err(error), none) => *none = Some(error),
                    }
                }
                errors.map_or(Ok(Toml::List(values)), Err)
            }
            _ => Err(self.no_literal(expr)),
        }
    }

    fn lit(&self, lit: &Lit, negative: bool) -> syn::Result<Toml> {
        let suffix = match lit {
            Lit::Bool(_) => "",
            other => other.suffix(),
        };
        if !suffix.is_empty() {
            let written = source(lit);
            return Err(problem(
                lit,
                format_args!("`{written}` has a type of its own"),
                format_args!(
                    "write `{}`: the field has the type",
                    written.trim_end_matches(suffix)
                ),
            ));
        }
        match lit {
            Lit::Int(number) => integer(number, negative).map(Toml::Integer),
            Lit::Float(number) => {
                let number: f64 = number.base10_parse()?;
                Ok(Toml::Float(if negative { -number } else { number }))
            }
            Lit::Bool(value) => Ok(Toml::Bool(value.value)),
            Lit::Str(text) => Ok(Toml::Text(text.value())),
            other => Err(self.no_literal(other)),
        }
    }

    fn no_literal(&self, tokens: impl ToTokens) -> syn::Error {
        problem(
            tokens,
            format_args!(
                "`{}` takes literals: they go into the template as they are",
                self.option
            ),
            "write a number, `true`, `false`, a string or an array of these; durations and sizes are strings, as in `\"5s\"` and `\"64MiB\"`",
        )
    }

    /// Checks a value against the field, and makes it the kind of value that the field has.
    fn fit(&self, expr: &Expr, value: Toml) -> syn::Result<Toml> {
        match (self.kind, value) {
            (Kind::Integer { low, high, zero }, Toml::Integer(value)) => {
                let fits = (*low..=*high).contains(&value) && (*zero || value != 0);
                let fits = fits.then_some(Toml::Integer(value));
                fits.ok_or_else(|| self.misfit(expr, "does not fit into"))
            }
            (Kind::Float, Toml::Integer(value)) => Ok(Toml::Float(value as f64)),
            (Kind::Duration, Toml::Text(text)) if parse_duration(&text).is_err() => {
                Err(self.misfit(expr, "cannot be read as"))
            }
            (Kind::Size, Toml::Text(text)) if size(&text).is_none() => {
                Err(self.misfit(expr, "cannot be read as"))
            }
            (kind, value) if value.may_be(kind) => Ok(value),
            _ => Err(self.misfit(expr, "is no value of")),
        }
    }

    fn misfit(&self, expr: &Expr, relation: &str) -> syn::Error {
        let (written, ty) = (source(expr), self.ty);
        let wrong = format_args!("`{written}` {relation} the field's type `{ty}`");
        problem(expr, wrong, self.kind.wanted())
    }
}

impl Toml {
    fn may_be(&self, kind: &Kind) -> bool {
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

fn integer(number: &LitInt, negative: bool) -> syn::Result<i64> {
    let sign = if negative { "-" } else { "" };
    let digits = format!("{sign}{}", number.base10_digits());
    digits.parse().map_err(|_| {
        problem(
            number,
            format_args!("`{digits}` is too large: numbers of TOML have 64 bits and a sign"),
            format_args!("write a number from {} to {}", i64::MIN, i64::MAX),
        )
    })
}

fn duration(text: &str) -> Option<Duration> {
    parse_duration(text).ok()
}

/// The bytes of `64MiB`, as the configuration reads it.
fn size(text: &str) -> Option<f64> {
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
