//! Rows written as text for people, or as JSON for programs.

use std::time::Duration;

use super::row::{Row, Value};
use crate::quote::Quoted;
use crate::settings::ReportFormat;

impl Row {
    /// Writes the row as the heading of a report, and all below it.
    pub(crate) fn write(&self, format: ReportFormat) -> String {
        let mut out = String::new();
        match format {
            ReportFormat::Json => {
                let state = [("state", Value::Text(self.label.clone()))];
                let fields = state.into_iter().chain(self.fields.clone()).collect();
                let (rows, written) = (self.rows.clone(), self.written.clone());
                let whole = Self {
                    fields,
                    rows,
                    written,
                    ..Self::default()
                };
                whole.json(&mut out);
            }
            _ => {
                self.line(&mut out, 0);
                self.rows.iter().for_each(|row| row.text(&mut out, 0));
            }
        }
        out
    }

    /// Writes what is below the row, for a process that has the row itself.
    pub(crate) fn write_inside(&self, format: ReportFormat) -> String {
        let mut out = String::new();
        match format {
            ReportFormat::Json => self.members(&mut out),
            _ => self.rows.iter().for_each(|row| row.text(&mut out, 1)),
        }
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

    fn json(&self, out: &mut String) {
        out.push('{');
        self.members(out);
        out.push('}');
    }

    /// The fields, then what there is one of, then a list of each kind of which there may be many.
    fn members(&self, out: &mut String) {
        let mut begin = Begin(true);
        for (name, value) in &self.fields {
            begin.member(out, name);
            value.json(out);
        }
        let mut plurals: Vec<&str> = Vec::new();
        for row in &self.rows {
            if row.plural.is_empty() {
                begin.member(out, &row.label);
                row.json(out);
            } else if !plurals.contains(&row.plural) {
                plurals.push(row.plural);
            }
        }
        for plural in plurals {
            begin.member(out, plural);
            out.push('[');
            let many = self.rows.iter().filter(|row| row.plural == plural);
            for (index, row) in many.enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                row.json(out);
            }
            out.push(']');
        }
        if let Some(written) = self.written.as_deref().filter(|text| !text.is_empty()) {
            begin.comma(out);
            out.push_str(written);
        }
    }
}

/// Whether the first member is still to come.
struct Begin(bool);

impl Begin {
    fn comma(&mut self, out: &mut String) {
        if !std::mem::take(&mut self.0) {
            out.push(',');
        }
    }

    fn member(&mut self, out: &mut String, name: &str) {
        self.comma(out);
        out.push_str(&Quoted(name).to_string());
        out.push(':');
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
                let time = whole(*time);
                out.push_str(&format!("{time:?}"));
            }
            Self::Nothing => {}
        }
    }

    fn json(&self, out: &mut String) {
        match self {
            Self::Text(text) => out.push_str(&Quoted(text).to_string()),
            // Strings, whole numbers and switches are written the same way in both.
            Self::Toml(text) if is_json(text) => out.push_str(text),
            Self::Toml(text) => out.push_str(&Quoted(text).to_string()),
            Self::Number(number) => out.push_str(&number.to_string()),
            Self::Flag(flag) => out.push_str(if *flag { "true" } else { "false" }),
            Self::Time(time) => out.push_str(&format!("{:.3}", time.as_secs_f64())),
            Self::Nothing => out.push_str("null"),
        }
    }
}

/// Returns whether a value of a configuration file is one of JSON as it stands.
fn is_json(text: &str) -> bool {
    text.starts_with('"') || text.parse::<bool>().is_ok() || text.parse::<i64>().is_ok()
}

/// Returns whether a text is one word beside others.
fn is_bare(text: &str) -> bool {
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '=');
    !text.is_empty() && !text.contains(odd)
}

/// Cuts a time to what a person wants to read: whole seconds, or steps of this much below one.
pub(crate) fn cut(time: Duration, step: Duration) -> String {
    let step = if time.as_secs() > 0 {
        Duration::from_secs(1)
    } else {
        step
    };
    let whole = time.as_nanos() / step.as_nanos() * step.as_nanos();
    let whole = Duration::from_nanos(u64::try_from(whole).unwrap_or(u64::MAX));
    humantime::format_duration(whole).to_string()
}

/// Cuts a time to whole seconds, or milliseconds below one.
pub(crate) fn whole(time: Duration) -> String {
    cut(time, Duration::from_millis(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Row {
        let worker = |slot: usize| {
            Row::of_many("worker", "workers")
                .with("slot", slot)
                .with("error", None::<String>)
                .written(
                    Row::default()
                        .rows([Row::of_many("task", "tasks").with("name", "a b")])
                        .write_inside(ReportFormat::Json),
                )
        };
        Row::one("report")
            .with("what", "says \"so\"\n")
            .with("word", Value::Toml("\"a\\tb\"".to_owned()))
            .with("list", Value::Toml("[1]".to_owned()))
            .rows([worker(0), worker(1)])
            .rows([Row::one("program")
                .with("uptime", Duration::from_millis(1500))
                .with("init", true)])
    }

    #[test]
    fn json_is_one_object_with_lists_of_what_there_are_many_of() {
        let text = report().write(ReportFormat::Json);
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["state"], "report");
        assert_eq!(json["what"], "says \"so\"\n");
        assert_eq!(
            (&json["word"], &json["list"]),
            (&"a\tb".into(), &"[1]".into())
        );
        assert_eq!(json["program"]["uptime"], 1.5);
        assert_eq!(json["workers"][1]["slot"], 1);
        assert!(json["workers"][1]["error"].is_null());
        assert_eq!(json["workers"][0]["tasks"][0]["name"], "a b");
    }

    #[test]
    fn text_is_a_line_for_each_row_and_says_nothing_of_what_is_not() {
        let task = Row::of_many("task", "tasks")
            .with("name", "a b")
            .with("next", Value::Nothing);
        let inside = Row::default().rows([task]).write_inside(ReportFormat::Text);
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
