//! Rows as text for people: a line for each, those below a row further to the right.

use std::time::Duration;

use super::row::{Row, Value};
use crate::settings::ReportFormat;

impl Row {
    /// Writes the row as the heading of a report, and all below it.
    pub(super) fn write(&self, format: ReportFormat) -> String {
        #[cfg(feature = "config")]
        if format.is_json() {
            return self.json();
        }
        let _ = format;
        let mut out = String::new();
        self.line(&mut out, 0);
        self.rows.iter().for_each(|row| row.text(&mut out, 0));
        out
    }

    /// Writes what is below the row, for a process that has the row itself.
    pub(super) fn write_below(&self, format: ReportFormat) -> String {
        #[cfg(feature = "config")]
        if format.is_json() {
            return self.json_below();
        }
        let _ = format;
        let mut out = String::new();
        self.rows.iter().for_each(|row| row.text(&mut out, 1));
        out
    }

    /// A line of its own, and one for each row below, further to the right.
    fn text(&self, out: &mut String, depth: usize) {
        self.line(out, depth);
        self.rows.iter().for_each(|row| row.text(out, depth + 1));
        if let Some(written) = &self.written {
            out.push_str(written);
        }
    }

    fn line(&self, out: &mut String, depth: usize) {
        out.push_str(&"  ".repeat(depth));
        out.push_str(&self.label);
        for (name, value) in &self.fields {
            if *value == Value::Nothing {
                continue;
            }
            out.push_str(&format!(" {name}="));
            value.text(out);
        }
        out.push('\n');
    }
}

impl Value {
    fn text(&self, out: &mut String) {
        match self {
            Self::Text(text) if is_bare(text) => out.push_str(text),
            Self::Text(text) => out.push_str(&format!("{text:?}")),
            Self::Toml(text) => out.push_str(text),
            Self::Number(number) => out.push_str(&number.to_string()),
            Self::Flag(flag) => out.push_str(if *flag { "yes" } else { "no" }),
            Self::Time(time) => {
                let time = if *time < Duration::from_millis(10) {
                    rounded_down(*time, Duration::from_micros(1))
                } else {
                    whole_seconds(*time)
                };
                out.push_str(&format!("{time:?}"));
            }
            Self::Nothing => {}
        }
    }
}

/// Returns whether a text is one word beside others.
fn is_bare(text: &str) -> bool {
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '=');
    !text.is_empty() && !text.contains(odd)
}

/// Rounds a time down to what a person wants to read: whole seconds, or steps of this much below one.
pub(crate) fn rounded_down(time: Duration, step: Duration) -> String {
    let step = if time.as_secs() > 0 {
        Duration::from_secs(1)
    } else {
        step
    };
    let whole = time.as_nanos() / step.as_nanos() * step.as_nanos();
    let whole = Duration::from_nanos(u64::try_from(whole).unwrap_or(u64::MAX));
    humantime::format_duration(whole).to_string()
}

/// Rounds a time down to whole seconds, or milliseconds below one.
pub(crate) fn whole_seconds(time: Duration) -> String {
    rounded_down(time, Duration::from_millis(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_a_line_for_each_row_and_says_nothing_of_what_is_not() {
        let task = Row::of_many("task", "tasks")
            .with("name", "a b")
            .with("next", Value::Nothing);
        let inside = Row::default().rows([task]).write_below(ReportFormat::Text);
        let worker = Row::of_many("worker", "workers")
            .with("slot", 0_usize)
            .written(inside);
        let report = Row::one("report")
            .with("age", Duration::from_secs(61))
            .rows([worker]);
        let lines = "report age=\"1m 1s\"\nworker slot=0\n  task name=\"a b\"\n";
        assert_eq!(report.write(ReportFormat::Text), lines);
    }
}
