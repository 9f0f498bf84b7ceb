//! Paths into the tree of values.

use std::fmt;

use super::display;

/// The way from the root of the tree to a value.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Path(Vec<Step>);

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// Into a table, by key.
    Key(String),
    /// Into an array, by place.
    Index(usize),
}

impl Path {
    /// Makes the path of keys that a dotted text names.
    pub(crate) fn dotted(text: &str) -> Self {
        Self(
            text.split('.')
                .map(|key| Step::Key(key.to_owned()))
                .collect(),
        )
    }

    /// Returns the path one key further.
    pub(crate) fn key(&self, key: &str) -> Self {
        self.then(Step::Key(key.to_owned()))
    }

    /// Returns the path one place of an array further.
    pub(crate) fn index(&self, index: usize) -> Self {
        self.then(Step::Index(index))
    }

    fn then(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// Returns the path one step shorter.
    pub(crate) fn parent(&self) -> Option<Self> {
        let (_, steps) = self.0.split_last()?;
        Some(Self(steps.to_vec()))
    }

    /// Tells whether this leads to something inside of `other`.
    pub(crate) fn is_inside(&self, other: &Self) -> bool {
        self.0.len() > other.0.len() && self.0.starts_with(&other.0)
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Splits into the table, by a name that a file can open it with, and the way on from there:
    /// `greeter.tls` and `hosts[1].port`.
    pub(crate) fn table_and_key(&self) -> (String, String) {
        let is_key = |step: &Step| matches!(step, Step::Key(_));
        let keys = self.0.iter().take_while(|step| is_key(step)).count();
        let text = self.to_string();
        if keys < 2 {
            return (text, String::new());
        }
        let table = Self(self.0[..keys - 1].to_vec()).to_string();
        let key = text[table.len() + 1..].to_owned();
        (table, key)
    }

    /// Tells whether this leads through an array.
    pub(crate) fn is_in_an_array(&self) -> bool {
        self.0.iter().any(|step| matches!(step, Step::Index(_)))
    }

    /// Returns the dotted keys that lead on from the last item of an array.
    pub(crate) fn keys_after_the_last_array(&self) -> Self {
        let last = self
            .0
            .iter()
            .rposition(|step| matches!(step, Step::Index(_)));
        Self(self.0[last.map_or(0, |last| last + 1)..].to_vec())
    }

    /// Returns the keys on the way, down to the first array.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map_while(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Index(_) => None,
        })
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) => {
                    write!(f, "{}{}", if n == 0 { "" } else { "." }, display::key(key))?;
                }
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_of_an_array_belongs_to_the_key_of_the_array() {
        let path = Path::dotted("greeter.tls.hosts").index(1);
        assert_eq!(
            path.table_and_key(),
            ("greeter.tls".into(), "hosts[1]".into())
        );
        assert_eq!(
            path.key("port").table_and_key(),
            ("greeter.tls".into(), "hosts[1].port".into())
        );
    }

    #[test]
    fn a_key_is_quoted_as_a_file_has_to() {
        let path = Path::dotted("greeter.labels").key("a.b");
        assert_eq!(path.to_string(), r#"greeter.labels."a.b""#);
    }

    #[test]
    fn a_section_has_no_key() {
        assert_eq!(
            Path::dotted("greeter").table_and_key(),
            ("greeter".into(), String::new())
        );
    }
}
