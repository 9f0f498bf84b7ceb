//! Sections: the tables that a program reads, each with the options it knows.

use std::{any::type_name, borrow::Cow, fmt, sync::LazyLock};

use super::{
    Config, ConfigErrors, Entry, Field, Origin, Table, Value,
    de::{self, Reading},
    path::Path,
};

/// A table of the configuration and the options in it.
#[derive(Clone)]
pub struct Section {
    pub(crate) name: Cow<'static, str>,
    pub(crate) doc: &'static str,
    pub(crate) fields: Cow<'static, [Field]>,
    pub(crate) reserved: Vec<Reserved>,
    /// Options that hold addresses to listen on, each one or a list.
    pub(crate) addresses: &'static [&'static str],
    /// Opens what the table names, as a start would.
    pub(crate) opens: Option<Opens>,
    /// Whether the first type is the framework's own.
    pub(crate) is_frameworks: bool,
    /// Runs the author's `Deserialize`; none for a section of run-time fields.
    pub(crate) check: Option<fn(&Reading<'_>)>,
    /// Names the author's type; none for a section of run-time fields.
    type_name: Option<fn() -> &'static str>,
    /// How many of the fields are those of the first type.
    own: usize,
    /// Further types that read the same table, each its own options of it.
    pub(crate) others: Vec<Other>,
}

/// Opens the files that the table of a section names, out of all tables of the program of this name.
pub(crate) type Opens = fn(&str, &Table, &Section) -> Result<(), ConfigErrors>;

/// One more type that reads a table.
#[derive(Clone)]
pub(crate) struct Other {
    type_name: fn() -> &'static str,
    pub(crate) fields: &'static [Field],
    pub(crate) check: fn(&Reading<'_>),
}

/// Sub-tables `<section>.<name>.<any>` that belong to the framework and not to the author's type.
#[derive(Clone, Debug)]
pub(crate) struct Reserved {
    pub(crate) name: &'static str,
    pub(crate) fields: Vec<Field>,
}

impl Section {
    /// Makes the section of an author's type.
    pub const fn of<T: Config>(name: &'static str) -> Self {
        Self {
            name: Cow::Borrowed(name),
            doc: "",
            fields: Cow::Borrowed(T::FIELDS),
            reserved: Vec::new(),
            addresses: &[],
            opens: None,
            is_frameworks: false,
            check: Some(de::check::<T>),
            type_name: Some(type_name::<T>),
            own: T::FIELDS.len(),
            others: Vec::new(),
        }
    }

    /// Makes a section of fields that are put together at run time.
    ///
    /// Values are checked against the kinds `bool`, the integers, `NonZeroU*`, floats, `String`, `PathBuf`,
    /// `Duration`, `Size`, and `Vec`s of those; a value of any other kind is checked by its reader.
    pub fn dynamic(name: impl Into<Cow<'static, str>>, fields: Vec<Field>) -> Self {
        Self {
            name: name.into(),
            doc: "",
            fields: Cow::Owned(fields),
            reserved: Vec::new(),
            addresses: &[],
            opens: None,
            is_frameworks: false,
            check: None,
            type_name: None,
            own: 0,
            others: Vec::new(),
        }
    }

    /// Gives the section another name.
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Says what the section is for, in lines joined by `\n`.
    pub const fn doc(mut self, text: &'static str) -> Self {
        self.doc = text;
        self
    }

    /// Reserves the sub-tables `<section>.<name>.<any>`, each with these fields.
    ///
    /// The author's type neither sees them nor takes them for unknown keys. Read them with
    /// `Snapshot::entries` and `Snapshot::option`.
    pub fn reserve(mut self, name: &'static str, fields: Vec<Field>) -> Self {
        self.reserved.push(Reserved { name, fields });
        self
    }

    /// Tells which options hold addresses to listen on: each is checked, and none may be used twice.
    pub fn listens_on(mut self, options: &'static [&'static str]) -> Self {
        self.addresses = options;
        self
    }

    /// Opens the files that the table names when the configuration is checked by itself, as a start does
    /// by its service.
    #[doc(hidden)]
    pub fn opens(mut self, opens: fn(&str, &Table, &Section) -> Result<(), ConfigErrors>) -> Self {
        self.opens = Some(opens);
        self
    }

    /// Says that the first type is the framework's own, which any process may read.
    #[doc(hidden)]
    pub fn of_framework(mut self) -> Self {
        self.is_frameworks = true;
        self
    }

    /// Tells whether reading the table runs code of the author's.
    #[cfg(workers)]
    pub(crate) fn runs_authors_code(&self) -> bool {
        self.check.is_some() && !self.is_frameworks
    }

    /// Lets one more type read the same table.
    ///
    /// Each type sees the options that it knows, and does not take the other's for unknown keys. An
    /// option that both know is both's; what the first says of it counts, such as its default.
    pub fn with<T: Config>(mut self) -> Self {
        let known: Vec<_> = self.fields.iter().map(|field| field.name).collect();
        let new = T::FIELDS
            .iter()
            .filter(|field| !known.contains(&field.name));
        self.fields = self.fields.iter().chain(new).cloned().collect();
        self.others.push(Other {
            type_name: type_name::<T>,
            fields: T::FIELDS,
            check: de::check::<T>,
        });
        self
    }

    /// Returns the name of the table.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the options.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Returns the options of the first type that reads the table.
    pub(crate) fn own(&self) -> &[Field] {
        &self.fields[..self.own.min(self.fields.len())]
    }

    /// Returns the names of the types that read the table.
    pub(crate) fn types(&self) -> Vec<&'static str> {
        let others = self.others.iter().map(|other| other.type_name);
        let all = self.type_name.into_iter().chain(others);
        all.map(|name| name()).collect()
    }

    /// Begins to read the section's table out of all tables of a program.
    pub(crate) fn reading<'a>(&'a self, program: &'a str, root: &'a Table) -> Reading<'a> {
        static EMPTY: LazyLock<Entry> =
            LazyLock::new(|| Entry::new(Value::Table(Table::new()), Origin::Default));
        let entry = root.get(self.name()).unwrap_or(&EMPTY);
        let path = Path::default().key(self.name());
        Reading::at(program, path, entry)
            .describing(&self.fields)
            .reserving(self.reserved.iter().map(|reserved| reserved.name))
    }

    /// Reads the section's table as one of its types; nothing if that cannot be done.
    #[cfg(all(feature = "http", feature = "tls"))]
    pub(crate) fn read<T: Config>(&self, program: &str, root: &Table) -> Option<T> {
        let reading = self.reading(program, root);
        self.hide_foreign(&reading, T::FIELDS);
        reading.whole()
    }

    /// Hides from a reading what a type that knows only `own` would take for unknown keys.
    pub(crate) fn hide_foreign(&self, reading: &Reading<'_>, own: &[Field]) {
        if self.others.is_empty() {
            return;
        }
        let is_own = |field: &Field| own.iter().any(|own| own.name == field.name);
        let foreign = self.fields.iter().filter(|field| !is_own(field));
        reading.hide(foreign.map(|field| field.name));
    }
}

impl fmt::Debug for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Section")
            .field("name", &self.name)
            .field("fields", &self.fields)
            .field("reserved", &self.reserved)
            .finish_non_exhaustive()
    }
}
