//! Values that stand in files of their own.

use super::{Merge, Shape, Spelling};
use crate::config::{
    ConfigError, Entry, Field, Origin, Table, Value, field,
    layers::secret_files::{self, SecretFile},
    path::Path,
};
use crate::near;

impl Merge<'_> {
    /// Lays a credential over what was before, if its section is one of the program's.
    pub(crate) fn lay_credential(&mut self, credential: &SecretFile) {
        let Some(option) = secret_files::option(&credential.path) else {
            return;
        };
        let (section, keys) = option.split_once('.').unwrap_or((option, ""));
        let Some(known) = self.section(section, Spelling::Exact) else {
            return;
        };
        // Other credentials are for other readers, such as `web.crt`; a slip is told.
        let key = keys.split('.').next().unwrap_or_default();
        let mut names = known.fields.iter().map(|field| field.name);
        let is_known = known.fields.iter().any(|field| field.is_called(key));
        if !is_known && near::nearest(key, &mut names).is_none() {
            return;
        }
        let origin = Origin::Credential(credential.path.as_path().into());
        match &credential.text {
            Ok(text) => {
                let table = |entry, key: &str| Table::from([(key.to_owned(), entry)]);
                let value = Entry::new(Value::text(text), origin.clone());
                let keys = keys.rsplit('.').fold(value, |entry, key| {
                    Entry::new(Value::Table(table(entry, key)), origin.clone())
                });
                self.lay(table(keys, section), Spelling::Exact);
            }
            Err(why) => {
                let path = Path::dotted(option);
                let (table, key) = path.table_and_key();
                let message = format!("cannot read the credential: {why}");
                self.errors
                    .push(ConfigError::new(&table, &key, &origin, message));
                self.excused.insert(path);
            }
        }
    }

    /// Places the value of a secret under its own key, if `key` is that of its file, such as `password_file`.
    pub(super) fn place_file(
        &mut self,
        shape: &Shape<'_>,
        key: &str,
        entry: &Entry,
    ) -> Option<Option<(&'static str, Entry)>> {
        let field = named_file(shape, key)?;
        let entry = self.read_from_file(shape, field, key, entry);
        Some(entry.map(|entry| (field.name, entry)))
    }

    /// Takes the value of a secret out of the file that an option such as `password_file` names.
    fn read_from_file(
        &mut self,
        shape: &Shape<'_>,
        field: &Field,
        key: &str,
        entry: &Entry,
    ) -> Option<Entry> {
        let path = shape.path.key(field.name);
        let text = match entry.value.as_str().map(std::path::Path::new) {
            _ if shape.spelling == Spelling::Loose && self.from_env.contains(&path) => {
                Err("the value is given by a variable too: keep one of the two".to_owned())
            }
            Some(file) if file.is_absolute() => (self.secrets.text(file))
                .map_err(|why| format!("cannot read {}: {why}", file.display())),
            _ => Err(format!(
                "expected the absolute path of a file, found {}",
                entry.value.kind()
            )),
        };
        match (text, entry.value.as_str()) {
            (Ok(text), Some(file)) => {
                let origin = Origin::SecretFile {
                    path: std::path::Path::new(file).into(),
                    named: entry.origin.clone().into(),
                };
                Some(Entry::new(Value::text(text), origin))
            }
            (Ok(_), None) => None,
            (Err(message), _) => {
                let (table, key) = shape.path.key(key).table_and_key();
                self.errors
                    .push(ConfigError::new(&table, &key, &entry.origin, message));
                self.excused.insert(path);
                None
            }
        }
    }
}

/// Finds the secret option whose file a key such as `password_file` names.
fn named_file<'s>(shape: &Shape<'s>, key: &str) -> Option<&'s Field> {
    let stem = key
        .strip_suffix("_file")
        .or_else(|| key.strip_suffix("-file"))?;
    let field = field::find(shape.fields, stem, shape.spelling == Spelling::Loose)?;
    (field.secret && field.nested.is_none()).then_some(field)
}
