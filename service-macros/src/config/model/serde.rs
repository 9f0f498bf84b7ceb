//! What serde is told of names and presence, so that both derives mean the same keys.
//!
//! Whatever is wrong in these attributes is serde's to refuse.

use syn::{Expr, ExprLit, Lit, Meta, Token, punctuated::Punctuated};

use super::case::Case;
use crate::problem::{Problems, problem};

/// What `#[serde(…)]` on the struct means for its fields.
#[derive(Debug, Default)]
pub(super) struct Container {
    case: Option<Case>,
    /// Whether absent keys are taken from the struct's own `Default`.
    pub(super) default: bool,
}

impl Container {
    pub(super) fn new(metas: &[Meta], problems: &mut Problems) -> Self {
        let mut container = Self::default();
        for meta in metas {
            let name = meta.path().get_ident().map(ToString::to_string);
            match name.as_deref() {
                Some("rename_all") => container.case = read_name(meta).and_then(|name| Case::of(&name)),
                Some("default") => container.default = true,
                Some(name @ ("from" | "try_from" | "transparent")) => problems.push(problem(
                    meta,
                    format_args!("with `{name}` the options are not the fields of this struct"),
                    "derive `Config` for the struct that is read, and implement it by hand for this one: `const FIELDS: &'static [Field] = Read::FIELDS;`",
                )),
                _ => {}
            }
        }
        container
    }
}

/// What `#[serde(…)]` on a field means.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    rename: Option<String>,
    pub(super) aliases: Vec<String>,
    /// Whether the field is never read.
    pub(super) skipped: bool,
    /// Whether the field may be absent.
    pub(super) default: bool,
    /// Whether a function of the author's reads the value, so that the type tells nothing of it.
    pub(super) custom: bool,
}

impl Attributes {
    pub(super) fn new(metas: &[Meta], problems: &mut Problems) -> Self {
        let mut field = Self::default();
        for meta in metas {
            let name = meta.path().get_ident().map(ToString::to_string);
            match name.as_deref() {
                Some("rename") => field.rename = read_name(meta),
                Some("alias") => field.aliases.extend(text(meta)),
                Some("skip" | "skip_deserializing") => field.skipped = true,
                Some("default") => field.default = true,
                Some("with" | "deserialize_with") => field.custom = true,
                Some("flatten") => problems.push(problem(
                    meta,
                    "`flatten` hides which options there are",
                    "write `#[config(nested)]` instead: the field becomes a table of its own",
                )),
                _ => {}
            }
        }
        field
    }

    /// The key of the field `ident`.
    pub(super) fn name(&self, ident: &str, container: &Container) -> String {
        match (&self.rename, container.case) {
            (Some(name), _) => name.clone(),
            (None, Some(case)) => case.apply(ident),
            (None, None) => ident.to_owned(),
        }
    }
}

/// The name in `rename = "…"` or `rename(deserialize = "…")`.
fn read_name(meta: &Meta) -> Option<String> {
    let Meta::List(list) = meta else {
        return text(meta);
    };
    let inner = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
    let mut inner = inner.ok()?.into_iter();
    text(&inner.find(|meta| meta.path().is_ident("deserialize"))?)
}

fn text(meta: &Meta) -> Option<String> {
    match meta {
        Meta::NameValue(meta) => match &meta.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}
