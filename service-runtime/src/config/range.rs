//! Ranges of numbers, durations and sizes.

use std::time::Duration;

use super::{Field, Origin, Size, Value, de::text, parse};

/// A value that can be compared with the bounds of its field.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(crate) enum Measure {
    /// An integer.
    Integer(i128),
    /// A float, or any number beside a float.
    Float(f64),
    /// A duration.
    Duration(Duration),
    /// A size in bytes.
    Size(u64),
}

/// What a field measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Number,
    Duration,
    Size,
}

impl Measure {
    /// Reads a value as what its field measures; `None` if it is nothing of the kind.
    pub(crate) fn of(field: &Field, value: &Value) -> Option<Self> {
        match unit(field) {
            Unit::Duration => text::duration(value).map(Self::Duration),
            Unit::Size => match value {
                Value::Integer(bytes) => u64::try_from(*bytes).ok().map(Self::Size),
                value => value
                    .as_str()?
                    .parse()
                    .ok()
                    .map(|size: Size| Self::Size(size.bytes())),
            },
            Unit::Number => match value {
                Value::Integer(number) => Some(Self::Integer(*number)),
                Value::Float(number) => Some(Self::Float(*number)),
                Value::Text(text) => text::integer(text)
                    .map(Self::Integer)
                    .or_else(|| text::float(text).map(Self::Float)),
                _ => None,
            },
        }
    }

    /// Compares; an integer beside a float becomes one.
    fn is_less_than(self, other: Self) -> bool {
        match (self, other) {
            (Self::Integer(a), Self::Float(b)) => (a as f64) < b,
            (Self::Float(a), Self::Integer(b)) => a < b as f64,
            (a, b) => a < b,
        }
    }

    fn is_nan(self) -> bool {
        matches!(self, Self::Float(number) if number.is_nan())
    }
}

/// Says which bound a value breaks, as `expected 1 to 10`.
///
/// A value that is nothing the range could measure is left to the check of its type.
///
/// # Errors
///
/// Returns the broken bounds; or, as `Err(Err(…))`, what is wrong with the range itself.
pub(crate) fn check(field: &Field, value: &Value) -> Result<(), Result<String, String>> {
    let low = bound(field, field.low).map_err(Err)?;
    let high = bound(field, field.high).map_err(Err)?;
    if let Value::Array(items) = value {
        return items.iter().try_for_each(|item| check(field, &item.value));
    }
    let Some(measure) = Measure::of(field, value) else {
        return Ok(());
    };
    let below = low.is_some_and(|low| measure.is_less_than(low));
    let above = high.is_some_and(|high| high.is_less_than(measure));
    let outside = below || above || (measure.is_nan() && (low.is_some() || high.is_some()));
    if outside {
        Err(Ok(format!("expected {}", words(field))))
    } else {
        Ok(())
    }
}

/// Returns the range in words: `1 to 10`, `at least 1s`.
pub(crate) fn words(field: &Field) -> String {
    let plain = |text: &'static str| text.trim_matches('"');
    match (field.low.map(plain), field.high.map(plain)) {
        (Some(low), Some(high)) => format!("{low} to {high}"),
        (Some(low), None) => format!("at least {low}"),
        (None, Some(high)) => format!("at most {high}"),
        (None, None) => "any".to_owned(),
    }
}

fn bound(field: &Field, text: Option<&str>) -> Result<Option<Measure>, String> {
    let Some(text) = text else { return Ok(None) };
    let value = parse::value(text, &Origin::Default).ok();
    let measure = value.and_then(|value| Measure::of(field, &value));
    measure.map(Some).ok_or_else(|| {
        format!(
            "the bound `{text}` of the option's range is no value of type `{}`",
            field.kind
        )
    })
}

/// Goes by the type as it is written, and for an alias by how its bounds are written.
fn unit(field: &Field) -> Unit {
    let kind = field.plain_kind();
    if kind.contains("Duration") {
        return Unit::Duration;
    }
    if kind.ends_with("Size>") || kind.ends_with("Size") {
        return Unit::Size;
    }
    let bound = field
        .low
        .or(field.high)
        .filter(|bound| bound.starts_with('"'));
    match bound {
        Some(_) if is_number(&kind) => Unit::Number,
        Some(bound) if crate::duration::read(bound.trim_matches('"')).is_some() => Unit::Duration,
        Some(_) => Unit::Size,
        None => Unit::Number,
    }
}

fn is_number(kind: &str) -> bool {
    let bits = |rest: &str| rest == "size" || rest.parse::<u8>().is_ok();
    kind.starts_with("NonZero") || kind.strip_prefix(['u', 'i', 'f']).is_some_and(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(field: &Field, value: Value) -> Option<String> {
        check(field, &value)
            .err()
            .map(|words| words.expect("the range is good"))
    }

    #[test]
    fn both_ends_of_a_range_belong_to_it() {
        let field = Field::new("n", "u32").range(Some("1"), Some("10"));
        for number in [1, 5, 10] {
            assert_eq!(broken(&field, Value::Integer(number)), None);
        }
        for number in [0, 11] {
            assert_eq!(
                broken(&field, Value::Integer(number)).unwrap(),
                "expected 1 to 10"
            );
        }
        assert!(broken(&field, Value::text("11")).is_some());
        assert!(broken(&field, Value::Float(f64::NAN)).is_some());
    }

    #[test]
    fn durations_and_sizes_are_measured_and_not_compared_as_text() {
        let field = Field::new("t", "Option<std::time::Duration>").range(Some("\"1s\""), None);
        assert_eq!(
            broken(&field, "900ms".into()).unwrap(),
            "expected at least 1s"
        );
        assert_eq!(broken(&field, "1m".into()), None);
        let field = Field::new("s", "Size").range(None, Some("\"1MiB\""));
        assert_eq!(
            broken(&field, "1.5MiB".into()).unwrap(),
            "expected at most 1MiB"
        );
        assert_eq!(broken(&field, Value::Integer(1024)), None);
    }

    #[test]
    fn every_item_of_an_array_is_measured() {
        let field = Field::new("ports", "Vec<u16>").range(Some("1024"), None);
        let ports = parse::value("[8080, 80]", &Origin::Default).unwrap();
        assert!(broken(&field, ports).is_some());
    }

    #[test]
    fn an_alias_of_a_type_is_known_by_its_bounds() {
        let field = Field::new("t", "Pause").range(Some("\"1s\""), None);
        assert!(broken(&field, "5ms".into()).is_some());
        let field = Field::new("t", "Room").range(Some("\"1KiB\""), None);
        assert!(broken(&field, "5B".into()).is_some());
    }

    #[test]
    fn a_bound_of_another_kind_is_the_programs_own_error() {
        let field = Field::new("n", "Duration").range(Some("1"), None);
        assert!(
            check(&field, &"5s".into())
                .unwrap_err()
                .unwrap_err()
                .contains("`1`")
        );
    }
}
