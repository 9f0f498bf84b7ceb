//! Tables of a few columns that fit a terminal.

use serde_json::Value;

use crate::escape::Escaped;

/// How a table is written.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Style {
    /// How many columns the terminal has, if it is one.
    pub(super) width: Option<usize>,
    /// Whether what is wrong stands out.
    pub(super) has_colour: bool,
}

/// Rows of text under a heading.
pub(super) struct Table {
    heads: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

/// What stands between two columns.
const GAP: usize = 2;

impl Table {
    pub(super) fn new(heads: &[&'static str]) -> Self {
        Self {
            heads: heads.to_vec(),
            rows: Vec::new(),
        }
    }

    pub(super) fn add<const N: usize>(&mut self, row: [String; N]) {
        self.rows
            .push(row.map(|text| Escaped(&text).to_string()).into());
    }

    /// Writes the table; the last column is cut where the terminal ends.
    pub(super) fn write(&self, style: &Style) -> String {
        let mut widths: Vec<usize> = self.heads.iter().map(|head| head.len()).collect();
        for row in &self.rows {
            for (width, text) in widths.iter_mut().zip(row) {
                *width = (*width).max(text.chars().count());
            }
        }
        let heads: Vec<String> = self.heads.iter().map(ToString::to_string).collect();
        let mut out = line(&heads, &widths, style);
        if style.has_colour {
            out = format!("\x1b[1m{}\x1b[0m\n", out.trim_end());
        }
        for row in &self.rows {
            out.push_str(&line(row, &widths, style));
        }
        out
    }
}

fn line(texts: &[String], widths: &[usize], style: &Style) -> String {
    let mut line = String::new();
    for (text, width) in texts.iter().zip(widths) {
        line.push_str(&format!("{text:<width$}{}", " ".repeat(GAP)));
    }
    let line = line.trim_end();
    let cut: String = match style.width {
        Some(width) if line.chars().count() > width => {
            let kept = line.chars().take(width.saturating_sub(1));
            kept.chain(['…']).collect()
        }
        _ => line.to_owned(),
    };
    format!("{cut}\n")
}

/// Writes a value as a cell; `-` for one that is not.
pub(super) fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["SLOT", "STATE"]);
        table.add(["0".to_owned(), "ready\x1b[31m".to_owned()]);
        table.add(["1".to_owned(), "a state with many words".to_owned()]);
        table
    }

    #[test]
    fn what_a_program_says_of_itself_steers_no_terminal() {
        let text = table().write(&Style::default());
        assert!(!text.contains('\x1b'), "{text:?}");
        assert!(text.starts_with("SLOT  STATE\n0     ready"), "{text}");
    }

    #[test]
    fn a_line_is_cut_where_the_terminal_ends() {
        let style = Style {
            width: Some(12),
            has_colour: false,
        };
        let text = table().write(&style);
        assert!(
            text.lines().all(|line| line.chars().count() <= 12),
            "{text}"
        );
        assert!(text.ends_with("1     a sta…\n"), "{text}");
    }
}
