//! What is known of an option before any value is read: its name, default, range and words.

/// A section's type that knows its options; written by `#[derive(Config)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the type of a configuration section",
    note = "add `#[derive(serde::Deserialize, service_runtime::config::Config)]` to it"
)]
pub trait Config: serde::de::DeserializeOwned {
    /// The options of the section, in the order of the author's fields.
    const FIELDS: &'static [Field];
}

/// One option of a section.
///
/// Built in constants by `#[derive(Config)]`, and at run time for a [`Section::dynamic`].
///
/// [`Section::dynamic`]: super::Section::dynamic
#[derive(Clone, Copy, Debug)]
pub struct Field {
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) default: Option<&'static str>,
    pub(crate) optional: bool,
    pub(crate) mutable: bool,
    pub(crate) secret: bool,
    pub(crate) low: Option<&'static str>,
    pub(crate) high: Option<&'static str>,
    pub(crate) aliases: &'static [&'static str],
    pub(crate) choices: &'static [&'static str],
    pub(crate) nested: Option<Tables>,
    /// Says what a text must be that is no value of the option, given its name; for run-time fields.
    pub(crate) check: Option<Check>,
}

/// The tables that an option holds: one, or those of a list or map.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tables {
    fields: fn() -> &'static [Field],
    /// What stands around the tables, from the outside in; empty for one table.
    pub(crate) within: &'static [Collection],
    /// Whether the author has said so, so that anything else is refused at once.
    pub(crate) is_declared: bool,
}

/// What tables may stand in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Collection {
    /// An array: `Vec<Server>` is read from `[[section.servers]]`.
    List,
    /// A table of tables: `BTreeMap<String, Server>` is read from `[section.servers.NAME]`.
    Map,
}

impl Tables {
    /// Returns the options of each table.
    pub(crate) fn fields(self) -> &'static [Field] {
        (self.fields)()
    }

    /// Tells whether this is one table, and not many.
    pub(crate) fn is_one(&self) -> bool {
        self.within.is_empty()
    }
}

/// Checks a value as text, by the name of its option; what it must be otherwise, in words.
pub(crate) type Check = fn(&str, &str) -> Result<(), &'static str>;

impl Field {
    /// Describes a required option: its name as serde sees it, and its type as it is written.
    pub const fn new(name: &'static str, kind: &'static str) -> Self {
        Self {
            name,
            kind,
            doc: "",
            default: None,
            optional: false,
            mutable: false,
            secret: false,
            low: None,
            high: None,
            aliases: &[],
            choices: &[],
            nested: None,
            check: None,
        }
    }

    /// Says what the option is for, in lines joined by `\n`.
    pub const fn doc(mut self, text: &'static str) -> Self {
        self.doc = text;
        self
    }

    /// Gives the default as TOML text: `10`, `"5s"`, `["a", "b"]`.
    pub const fn default(mut self, toml: &'static str) -> Self {
        self.default = Some(toml);
        self
    }

    /// Lets a run-time option be checked by more than its kind.
    pub(crate) const fn checked(mut self, check: Check) -> Self {
        self.check = Some(check);
        self
    }

    /// Lets the option be absent.
    pub const fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Lets the option change while the program runs.
    pub const fn mutable(mut self) -> Self {
        self.mutable = true;
        self
    }

    /// Keeps the value out of everything that is printed, its default too.
    ///
    /// All of a table or an array is secret when its option is.
    pub const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// Bounds a number, a duration or a size, both ends included, as TOML text: `1`, `"1s"`.
    pub const fn range(mut self, low: Option<&'static str>, high: Option<&'static str>) -> Self {
        self.low = low;
        self.high = high;
        self
    }

    /// Gives further names under which the option may be written.
    pub const fn aliases(mut self, names: &'static [&'static str]) -> Self {
        self.aliases = names;
        self
    }

    /// Lists the only strings that the option may be.
    pub const fn one_of(mut self, choices: &'static [&'static str]) -> Self {
        self.choices = choices;
        self
    }

    /// Makes the option a table with options of its own.
    pub const fn nested(mut self, fields: fn() -> &'static [Field]) -> Self {
        self.nested = Some(Tables {
            fields,
            within: &[],
            is_declared: true,
        });
        self
    }

    /// Makes the option a table if its type has options of its own.
    pub const fn described(mut self, fields: Option<fn() -> &'static [Field]>) -> Self {
        if let Some(fields) = fields {
            self.nested = Some(Tables {
                fields,
                within: &[],
                is_declared: false,
            });
        }
        self
    }

    /// Makes the option a list or a map of such tables; nested ones are given from the outside in.
    pub const fn within(mut self, collections: &'static [Collection]) -> Self {
        if let Some(tables) = &mut self.nested {
            tables.within = collections;
        }
        self
    }

    /// Returns the name of the option.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Tells whether the option is called `name`, by its own name or an alias.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }

    /// Tells whether a value is what its kind says and never holds further options.
    pub(crate) fn is_plain(&self) -> bool {
        let kind = self.plain_kind();
        let item = kind
            .strip_prefix("Vec<")
            .and_then(|rest| rest.strip_suffix('>'));
        let kind = item.unwrap_or(&kind);
        let number = kind
            .trim_start_matches("NonZero")
            .trim_start_matches(['u', 'i', 'f', 'U', 'I']);
        number == "size" || number.parse::<u8>().is_ok() || PLAIN.contains(&kind)
    }

    /// Tells whether the value must be given by somebody.
    pub(crate) fn is_required(&self) -> bool {
        let is_filled = matches!(self.nested, Some(tables) if tables.is_one());
        self.default.is_none() && !self.optional && !is_filled
    }

    /// Returns the type without its path and without `Option`: `std::time::Duration` is `Duration`.
    pub(crate) fn plain_kind(&self) -> String {
        let mut kind: String = self.kind.split_whitespace().collect();
        loop {
            let head = kind.split('<').next().unwrap_or_default();
            let short = head.rsplit("::").next().unwrap_or_default().len();
            kind.drain(..head.len() - short);
            match kind
                .strip_prefix("Option<")
                .and_then(|rest| rest.strip_suffix('>'))
            {
                Some(inner) => kind = inner.to_owned(),
                None => return kind,
            }
        }
    }
}

/// Types that hold nothing but a text, a number or a switch.
const PLAIN: &[&str] = &[
    "bool",
    "char",
    "String",
    "PathBuf",
    "Duration",
    "Size",
    "IpAddr",
    "Ipv4Addr",
    "Ipv6Addr",
    "SocketAddr",
];

/// Tells whether `wanted` holds for one of the options, or for one inside of them.
pub(crate) fn any(fields: &'static [Field], wanted: fn(&Field) -> bool) -> bool {
    // A type may hold itself.
    let mut seen = Vec::new();
    let mut rest = vec![fields];
    while let Some(fields) = rest.pop() {
        if seen.contains(&fields.as_ptr()) {
            continue;
        }
        seen.push(fields.as_ptr());
        if fields.iter().any(wanted) {
            return true;
        }
        rest.extend(
            fields
                .iter()
                .filter_map(|field| Some(field.nested?.fields())),
        );
    }
    false
}

/// Finds the option that is called `name`; `loose` is for the environment, where case and dashes are lost.
pub(crate) fn find<'a>(fields: &'a [Field], name: &str, loose: bool) -> Option<&'a Field> {
    fields
        .iter()
        .find(|field| field.is_called(name))
        .or_else(|| {
            let same = |known: &str| loose && loosened(known) == loosened(name);
            fields
                .iter()
                .find(|field| same(field.name) || field.aliases.iter().any(|alias| same(alias)))
        })
}

/// Returns a name as an environment variable would spell it, in lower case.
pub(crate) fn loosened(name: &str) -> String {
    let word = |c: char| if c.is_alphanumeric() { c } else { '_' };
    name.to_lowercase().chars().map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_loses_its_path_and_its_option() {
        let kind = |text| Field::new("x", text).plain_kind();
        assert_eq!(kind("std :: time :: Duration"), "Duration");
        assert_eq!(
            kind("::core::option::Option<std::time::Duration>"),
            "Duration"
        );
        assert_eq!(kind("Vec<a::B>"), "Vec<a::B>");
    }

    #[test]
    fn the_environment_finds_names_whose_case_it_cannot_spell() {
        let fields = [
            Field::new("maxSize", "Size"),
            Field::new("idle-time", "Duration"),
        ];
        assert_eq!(find(&fields, "maxsize", true).unwrap().name(), "maxSize");
        assert_eq!(
            find(&fields, "idle_time", true).unwrap().name(),
            "idle-time"
        );
        assert!(find(&fields, "maxsize", false).is_none());
    }
}
