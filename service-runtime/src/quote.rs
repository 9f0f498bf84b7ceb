//! Text in quotes, as TOML and JSON both read it.

use std::fmt::{self, Display, Write};

/// A text that is written in quotes, with escapes for what cannot stand in them.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                c if c.is_control() => write!(f, "\\u{:04X}", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_stand_in_quotes_is_escaped() {
        let text = Quoted("a \"b\" \\ \n\r\t \u{1} ü").to_string();
        assert_eq!(text, r#""a \"b\" \\ \n\r\t \u0001 ü""#);
    }
}
