//! The table `[launch]`: its section, and how its entries become settings.

use crate::config::{ConfigErrors, Field, Section, Snapshot};
use crate::settings::{KEYS, Key, Settings};

/// The table of the launcher's own settings.
pub(super) const LAUNCH: &str = "launch";

/// Returns the section, without what other rooms reserve in it.
pub(super) fn section() -> Section {
    Section::dynamic(LAUNCH, KEYS.iter().map(field).collect())
        .doc("How the program is launched.")
        .listens_on(&["metrics_bind"])
}

fn field(key: &Key) -> Field {
    let field = field_without_default(key);
    if key.default.is_empty() {
        field.optional()
    } else {
        field.default(key.default)
    }
}

/// Describes a setting as an option that somebody else gives a value when it is absent.
pub(super) fn field_without_default(key: &Key) -> Field {
    let field = Field::new(key.name, key.kind).doc(key.doc).checked(check);
    if key.mutable { field.mutable() } else { field }
}

/// Says what the value of a setting must be, if it is none.
fn check(name: &str, text: &str) -> Result<(), &'static str> {
    let read = Settings::default().read(name, text);
    read.map_err(|expects| expects.unwrap_or("a setting that exists"))
}

/// Reads the entries of a table that `wanted` names over some settings.
pub(super) fn read_into(
    mut settings: Settings,
    snapshot: &Snapshot,
    table: &str,
    wanted: impl Fn(&str) -> bool,
) -> Result<Settings, ConfigErrors> {
    let mut errors: Option<ConfigErrors> = None;
    for (name, value, origin) in snapshot.entries(table).filter(|(name, ..)| wanted(name)) {
        let text = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        if let Err(expects) = settings.read(name, &text) {
            let expects = expects.unwrap_or("a setting that exists");
            let error = ConfigErrors::at(
                table,
                name,
                origin,
                format!("expected {expects}, found `{text}`"),
            );
            match &mut errors {
                Some(errors) => errors.append(error),
                None => errors = Some(error),
            }
        }
    }
    errors.map_or(Ok(settings), Err)
}
