//! Metrics as text: the format of Prometheus, and OpenMetrics.
//!
//! Both have the same names: a counter ends in `_total`, whatever its author calls it, and the bounds of a
//! histogram are written in the same way.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use super::families::{Family, Labels, Total};
use super::layout::Kind;

/// How metrics are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// The text format of Prometheus, version 0.0.4.
    Prometheus,
    /// OpenMetrics, version 1.0.0.
    OpenMetrics,
}

impl Format {
    /// Returns the format that a client accepts, by its header `accept`.
    pub(crate) fn accepted(accept: Option<&str>) -> Self {
        let media = |part: &str| part.split(';').next().unwrap_or_default().trim().to_owned();
        let accepts = accept.is_some_and(|accept| {
            let mut parts = accept.split(',');
            parts.any(|part| media(part).eq_ignore_ascii_case("application/openmetrics-text"))
        });
        if accepts {
            Self::OpenMetrics
        } else {
            Self::Prometheus
        }
    }

    /// Returns what the text is called in a header `content-type`.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// Writes metrics.
pub(crate) fn write(families: &BTreeMap<String, Family>, format: Format) -> String {
    let mut text = String::new();
    for (base, family) in &exposed(families) {
        let is_counter = matches!(family.kind, Kind::Counter | Kind::Seconds);
        let sample = if is_counter {
            format!("{base}_total")
        } else {
            base.clone()
        };
        let named = match format {
            Format::Prometheus => &sample,
            Format::OpenMetrics => base,
        };
        if let Some(help) = &family.help {
            let _ = writeln!(
                text,
                "# HELP {named} {}",
                escaped(help, format == Format::OpenMetrics)
            );
        }
        let _ = writeln!(text, "# TYPE {named} {}", kind(family.kind));
        for (labels, total) in &family.series {
            series(&mut text, &sample, labels, total);
        }
    }
    if format == Format::OpenMetrics {
        text.push_str("# EOF\n");
    }
    text
}

/// Gives names and labels the letters that they may have; names that become the same are told apart.
fn exposed(families: &BTreeMap<String, Family>) -> BTreeMap<String, Family> {
    let mut exposed: BTreeMap<String, Family> = BTreeMap::new();
    for (name, family) in families {
        let mut base = letters(name, ":");
        if matches!(family.kind, Kind::Counter | Kind::Seconds) {
            base.truncate(base.strip_suffix("_total").unwrap_or(&base).len());
        }
        while exposed.contains_key(&base) {
            base.push('_');
        }
        let mut family = family.clone();
        family.series = family
            .series
            .into_iter()
            .map(|(labels, total)| (label_names(labels), total))
            .collect();
        exposed.insert(base, family);
    }
    exposed
}

fn label_names(labels: Labels) -> Labels {
    let mut named: Labels = Vec::new();
    for (key, value) in labels {
        let mut key = letters(&key, "");
        // `le` is the bound of a bucket, and what begins with two underscores is Prometheus's own.
        if key == "le" || key.starts_with("__") {
            key.insert_str(0, "label_");
        }
        while named.iter().any(|(other, _)| *other == key) {
            key.push('_');
        }
        named.push((key, value));
    }
    named
}

fn letters(name: &str, also: &str) -> String {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || also.contains(c);
    let name: String = name
        .chars()
        .map(|c| if is_allowed(c) { c } else { '_' })
        .collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) || name.is_empty() {
        return format!("_{name}");
    }
    name
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter | Kind::Seconds => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
        Kind::Help => "unknown",
    }
}

fn series(text: &mut String, name: &str, labels: &Labels, total: &Total) {
    match total {
        Total::Counter(count) => line(text, name, labels, None, &count.to_string()),
        Total::Gauge(value, _) => line(text, name, labels, None, &number(*value)),
        Total::Seconds(nanos) => {
            let seconds = Duration::from_nanos(*nanos).as_secs_f64();
            line(text, name, labels, None, &number(seconds));
        }
        Total::Histogram(bounds, counts, sum) => {
            let mut below = 0_u64;
            let limits = bounds.iter().copied().chain([f64::INFINITY]);
            let bucket = format!("{name}_bucket");
            for (bound, count) in limits.zip(counts) {
                below = below.saturating_add(*count);
                line(
                    text,
                    &bucket,
                    labels,
                    Some(&number(bound)),
                    &below.to_string(),
                );
            }
            line(text, &format!("{name}_sum"), labels, None, &number(*sum));
            line(
                text,
                &format!("{name}_count"),
                labels,
                None,
                &below.to_string(),
            );
        }
    }
}

fn line(text: &mut String, name: &str, labels: &Labels, bound: Option<&str>, value: &str) {
    text.push_str(name);
    let labels = labels.iter().map(|(key, value)| (&**key, &**value));
    let mut separator = '{';
    for (key, value) in labels.chain(bound.map(|bound| ("le", bound))) {
        let _ = write!(text, "{separator}{key}=\"{}\"", escaped(value, true));
        separator = ',';
    }
    if separator == ',' {
        text.push('}');
    }
    let _ = writeln!(text, " {value}");
}

/// Writes a number so that it is one in every format: `1.0`, `+Inf`.
fn number(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else {
        format!("{value:?}")
    }
}

fn escaped(text: &str, quotes: bool) -> String {
    let text = text.replace('\\', "\\\\").replace('\n', "\\n");
    if quotes {
        text.replace('"', "\\\"")
    } else {
        text
    }
}
