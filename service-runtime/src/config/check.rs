//! The checks that need no type: required options, ranges, choices, and kinds of run-time fields.

use std::{num, path::PathBuf, time::Duration};

use super::{
    Entry, Field, MASK, Origin, Section, Size, Table, de::Reading, path::Path, range, tables,
};
use crate::near;

/// Who reads the options of a table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// The author's type, which knows what it wants.
    Type,
    /// Somebody who has only the kinds of run-time fields to go by.
    Kinds,
}

impl Reading<'_> {
    /// Checks the whole section: its fields, its reserved tables, and the author's `Deserialize`.
    pub(crate) fn run(&self, section: &Section) {
        let (path, entry) = self.root();
        if self.excuses(path) {
            return;
        }
        let empty = Table::new();
        let table = entry.value.as_table().unwrap_or(&empty);
        let reader = if section.check.is_some() {
            Reader::Type
        } else {
            Reader::Kinds
        };
        self.fields(&section.fields, (table, &entry.origin), path, reader);
        for reserved in &section.reserved {
            let path = path.key(reserved.name);
            let tables = table
                .get(reserved.name)
                .and_then(|entry| entry.value.as_table());
            for (name, entry) in tables.into_iter().flatten() {
                let inner = (entry.value.as_table().unwrap_or(&empty), &entry.origin);
                self.fields(&reserved.fields, inner, &path.key(name), Reader::Kinds);
            }
        }
        if let Some(check) = section.check {
            section.hide_foreign(self, section.own());
            check(self);
        }
        for other in &section.others {
            section.hide_foreign(self, other.fields);
            (other.check)(self);
        }
    }

    fn fields(
        &self,
        fields: &[Field],
        (table, origin): (&Table, &Origin),
        path: &Path,
        reader: Reader,
    ) {
        for field in fields {
            let path = path.key(field.name);
            match (table.get(field.name), field.nested) {
                (None, _) if field.is_required() => self.refuse_missing(&path, origin),
                (None, _) => {}
                (Some(entry), Some(tables)) => {
                    tables::each(tables.within, entry, &path, &mut |entry, table, path| {
                        self.fields(tables.fields(), (table, &entry.origin), path, reader);
                    });
                }
                (Some(entry), None) => self.value(field, entry, &path, reader),
            }
        }
    }

    fn value(&self, field: &Field, entry: &Entry, path: &Path, reader: Reader) {
        match range::check(field, &entry.value) {
            Ok(()) => {}
            Err(Ok(expected)) => {
                self.refuse(
                    path,
                    &entry.origin,
                    format!("{expected}, found {}", entry.found()),
                );
            }
            Err(Err(wrong)) => {
                self.refuse(path, &Origin::Default, wrong);
            }
        }
        if let Some(text) = entry.value.as_str()
            && !field.choices.is_empty()
            && !field.choices.contains(&text)
        {
            let message = match entry.secret {
                true => format!("unknown value {}", MASK),
                false => near::with_known(format!("unknown value `{text}`"), text, field.choices),
            };
            self.refuse(path, &entry.origin, message);
        }
        if reader == Reader::Kinds && !self.skips(path) {
            let text = entry
                .value
                .as_str()
                .map_or_else(|| entry.value.to_string(), str::to_owned);
            match field.check.map_or(Ok(()), |check| check(field.name, &text)) {
                Ok(()) => self.kind(&field.plain_kind(), entry, path),
                Err(expects) => {
                    let message = format!("expected {expects}, found {}", entry.found());
                    self.refuse(path, &entry.origin, message);
                }
            }
        }
    }

    /// Reads a value as its kind says, for the errors and for the types of texts.
    fn kind(&self, kind: &str, entry: &Entry, path: &Path) {
        let item = kind
            .strip_prefix("Vec<")
            .and_then(|rest| rest.strip_suffix('>'));
        macro_rules! read {
            ($($name:literal: $kind:ty,)*) => {
                match (kind, item) {
                    $(
                        ($name, _) => drop(self.read::<$kind>(path, entry)),
                        (_, Some($name)) => drop(self.read::<Vec<$kind>>(path, entry)),
                    )*
                    _ => {}
                }
            };
        }
        read! {
            "bool": bool,
            "u8": u8, "u16": u16, "u32": u32, "u64": u64, "usize": usize,
            "i8": i8, "i16": i16, "i32": i32, "i64": i64, "isize": isize,
            "NonZeroU8": num::NonZeroU8, "NonZeroU16": num::NonZeroU16, "NonZeroU32": num::NonZeroU32,
            "NonZeroU64": num::NonZeroU64, "NonZeroUsize": num::NonZeroUsize,
            "f32": f32, "f64": f64,
            "String": String, "PathBuf": PathBuf, "Duration": Duration, "Size": Size,
        }
    }
}
