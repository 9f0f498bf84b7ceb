//! Control characters made visible, so that a text stays within its line.

use std::fmt::{self, Display, Write};

/// A text whose control characters are written as escapes: it never begins a line or moves a cursor.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| is_hidden(*c)) {
            f.write_str(&rest[..at])?;
            match c {
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_char(' ')?,
                c => write!(f, "{}", c.escape_unicode())?,
            }
            rest = &rest[at + c.len_utf8()..];
        }
        f.write_str(rest)
    }
}

/// Tells whether a terminal or a reader of lines takes a character for an order: control characters, line
/// and paragraph separators, and those that change the direction of writing.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_line() {
        let text = Escaped("a\nb\r\x1b[31m\tc\u{85}\u{2028}\u{202e}ü").to_string();
        assert_eq!(text, "a\\nb\\r\\u{1b}[31m c\\u{85}\\u{2028}\\u{202e}ü");
        assert_eq!(Escaped("plain").to_string(), "plain");
    }
}
