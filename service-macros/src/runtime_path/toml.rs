//! As much of TOML as it takes to find the entries of a manifest.
//!
//! A manifest that breaks a rule is cargo's to refuse: reading ends there.

/// A value that is no table, and the keys that lead to it.
#[derive(Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) path: Vec<String>,
    /// Without quotes, if it has any.
    pub(super) value: String,
}

/// Reads all entries; those of inline tables as if they had been written out, those of lists not at all.
pub(super) fn entries(text: &str) -> Vec<Entry> {
    let mut reader = Reader {
        rest: text,
        entries: Vec::new(),
    };
    let _broken = reader.document();
    reader.entries
}

struct Reader<'a> {
    rest: &'a str,
    entries: Vec<Entry>,
}

impl<'a> Reader<'a> {
    fn document(&mut self) -> Option<()> {
        let mut table = Vec::new();
        loop {
            self.skip_blank();
            if self.rest.is_empty() {
                return Some(());
            }
            if !self.eat("[") {
                self.pair(&table)?;
                continue;
            }
            let of_list = self.eat("[");
            table = self.key()?;
            let closed = self.eat("]") && (!of_list || self.eat("]"));
            closed.then_some(())?;
        }
    }

    fn pair(&mut self, table: &[String]) -> Option<()> {
        let mut path = table.to_vec();
        path.extend(self.key()?);
        self.eat("=").then_some(())?;
        let value = self.value(&path)?;
        self.entries
            .extend(value.map(|value| Entry { path, value }));
        Some(())
    }

    fn key(&mut self) -> Option<Vec<String>> {
        let mut parts = vec![self.key_part()?];
        while self.eat(".") {
            parts.push(self.key_part()?);
        }
        Some(parts)
    }

    fn key_part(&mut self) -> Option<String> {
        self.skip_spaces();
        if let Some(text) = self.quoted()? {
            return Some(text);
        }
        let bare = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
        let part = self.take_while(bare);
        (!part.is_empty()).then(|| part.to_owned())
    }

    /// Reads a value, `None` inside if it is a table or a list.
    fn value(&mut self, path: &[String]) -> Option<Option<String>> {
        self.skip_spaces();
        if self.eat("{") {
            while !self.ends("}") {
                self.pair(path)?;
            }
            return Some(None);
        }
        if self.eat("[") {
            let known = self.entries.len();
            while !self.ends("]") {
                self.value(path)?;
            }
            self.entries.truncate(known);
            return Some(None);
        }
        if let Some(text) = self.quoted()? {
            return Some(Some(text));
        }
        let word = self.take_while(|letter| !matches!(letter, ',' | ']' | '}' | '#' | '\n'));
        let word = word.trim();
        (!word.is_empty()).then(|| Some(word.to_owned()))
    }

    /// Whether the table or list ends here; else goes on to its next element.
    fn ends(&mut self, closing: &str) -> bool {
        self.skip_blank();
        if self.eat(",") {
            self.skip_blank();
        }
        self.eat(closing)
    }

    /// Reads a string of any of the four kinds. Escapes stay as they are: no name has one.
    fn quoted(&mut self) -> Option<Option<String>> {
        for quote in ["\"\"\"", "'''", "\"", "'"] {
            let Some(rest) = self.rest.strip_prefix(quote) else {
                continue;
            };
            let end = end_of_string(rest, quote)?;
            self.rest = &rest[end + quote.len()..];
            return Some(Some(rest[..end].to_owned()));
        }
        Some(None)
    }

    fn eat(&mut self, token: &str) -> bool {
        self.skip_spaces();
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    /// Skips spaces, lines and comments.
    fn skip_blank(&mut self) {
        loop {
            self.rest = self.rest.trim_start();
            if !self.rest.starts_with('#') {
                return;
            }
            self.take_while(|letter| letter != '\n');
        }
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|letter| !wanted(letter));
        let (taken, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        taken
    }
}

/// Where a string ends whose opening quote has been read.
fn end_of_string(text: &str, quote: &str) -> Option<usize> {
    let has_escapes = quote.starts_with('"');
    let mut place = 0;
    while let Some(rest) = text.get(place..) {
        if let Some(behind) = rest.strip_prefix(quote) {
            // A long string may end in quotes of its own.
            if quote.len() == 1 || !behind.starts_with(&quote[..1]) {
                return Some(place);
            }
        }
        let first = rest.chars().next()?;
        place += first.len_utf8();
        if has_escapes && first == '\\' {
            place += text.get(place..)?.chars().next()?.len_utf8();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, String)> {
        let all = entries(text).into_iter();
        all.map(|entry| (entry.path.join("/"), entry.value))
            .collect()
    }

    #[test]
    fn tables_inline_tables_and_dotted_keys_are_one() {
        let text =
            "a.b = 1 # one\n[c.'d e'] \nf = { g = true, h.i = \"x\" }\n[[bin]]\nname = 'n'\n";
        let wanted = [
            ("a/b", "1"),
            ("c/d e/f/g", "true"),
            ("c/d e/f/h/i", "x"),
            ("bin/name", "n"),
        ];
        assert_eq!(
            read(text),
            wanted.map(|(path, value)| (path.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn strings_hide_what_looks_like_an_entry() {
        let text = "a = \"# \\\" [x]\"\nb = '''\n[c]\nd = 1'''\nlist = [ { e = 1 }, \"]\", # ]\n 'x' ]\nf = \"\"\"\"q\"\"\"\"\n";
        let paths: Vec<_> = read(text).into_iter().map(|(path, _)| path).collect();
        assert_eq!(paths, ["a", "b", "f"]);
    }

    #[test]
    fn reading_ends_at_what_is_broken() {
        for text in ["a = ", "[a", "a = \"", "= 1", "a = [1", "[[a]", "a = \"\\"] {
            assert_eq!(read(text), [], "{text}");
        }
        assert_eq!(read("a = 1\nb = \"").len(), 1);
    }
}
