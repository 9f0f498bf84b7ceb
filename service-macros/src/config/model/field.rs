//! One option of a section.

use syn::{Type, ext::IdentExt};

use super::{
    super::parse::{KEYS, ParsedField},
    kind::{Collection, Kind, innermost, optional},
    literal::{LITERALS, Place},
    range::{ENDS, Range},
    serde::{Attributes, Container},
    toml::Toml,
};
use crate::{
    args::{Args, Given},
    problem::{Problems, problem},
    source::source,
};

/// A field that is read from the configuration.
pub(in super::super) struct Field {
    /// Its key.
    pub(in super::super) name: String,
    /// Its type as written.
    pub(in super::super) ty: String,
    pub(in super::super) doc: String,
    pub(in super::super) aliases: Vec<String>,
    /// Whether it may be absent.
    pub(in super::super) optional: bool,
    pub(in super::super) content: Content,
}

/// What a field holds.
pub(in super::super) struct Content {
    /// The tables, if it holds any that are known.
    pub(in super::super) tables: Option<Tables>,
    /// As TOML.
    pub(in super::super) default: Option<String>,
    pub(in super::super) mutable: bool,
    pub(in super::super) secret: bool,
    pub(in super::super) range: Option<Range>,
}

/// A table of the options of another struct, or a list or map of them.
pub(in super::super) struct Tables {
    pub(in super::super) ty: Type,
    /// What stands around the tables, from the outside in.
    pub(in super::super) within: Vec<Collection>,
    /// Whether the author says so; else it is so if the type turns out to have options.
    pub(in super::super) is_declared: bool,
}

impl Field {
    /// Checks every rule; `None` if serde never reads the field.
    pub(super) fn new(
        parsed: ParsedField,
        container: &Container,
        problems: &mut Problems,
    ) -> Option<Self> {
        let serde = Attributes::new(&parsed.serde, problems);
        let mut args = Args::new("#[config]", KEYS, parsed.options, problems);
        if serde.skipped {
            for given in args.rest() {
                problems.push(problem(
                    &given.name,
                    format_args!("serde skips this field: `{}` has no effect", given.key.name),
                    "remove it, or serde's `skip`",
                ));
            }
            return None;
        }
        let name = serde.name(&parsed.ident.unraw().to_string(), container);
        let ty = source(&parsed.ty);
        let inner = optional(&parsed.ty);
        let flag = |given: Option<Given>, problems: &mut Problems| {
            given.is_some_and(|given| problems.keep(given.boolean()).unwrap_or_default())
        };
        let nested = args.take("nested");
        let is_asked = nested.is_some();
        let is_declared = flag(nested, problems);
        let (innermost, within) = innermost(&parsed.ty);
        let mut content = Content {
            tables: None,
            default: None,
            mutable: false,
            secret: false,
            range: None,
        };
        if is_declared && within.is_empty() {
            refuse_on_nested(args, problems);
        } else {
            content.mutable = flag(args.take("mutable"), problems);
            content.secret = flag(args.take("secret"), problems);
            let kind = match serde.custom {
                true => Kind::Other,
                false => Kind::of(inner.unwrap_or(&parsed.ty)),
            };
            let secret = content.secret;
            let (default, range) = values(args, &kind, &ty, inner.is_some(), secret, problems);
            content.default = default.map(|default| default.to_string());
            content.range = range;
        }
        // A value as a whole that has a default is no table to be filled.
        let may_be = !is_asked
            && !serde.custom
            && !content.secret
            && content.range.is_none()
            && (content.default.is_none() || !within.is_empty())
            && Kind::of(innermost) == Kind::Other;
        content.tables = (is_declared || may_be).then(|| Tables {
            ty: innermost.clone(),
            within,
            is_declared,
        });
        Some(Self {
            name,
            ty,
            doc: parsed.doc,
            aliases: serde.aliases,
            optional: inner.is_some() || serde.default || container.default,
            content,
        })
    }
}

impl Field {
    /// Whether only a configuration can give it a value.
    pub(super) fn is_required(&self) -> bool {
        let is_table = |tables: &Tables| tables.is_declared && tables.within.is_empty();
        let is_filled = self.content.tables.as_ref().is_some_and(is_table);
        !self.optional && self.content.default.is_none() && !is_filled
    }
}

/// The default and the range, and how they agree.
fn values(
    mut args: Args,
    kind: &Kind,
    ty: &str,
    optional: bool,
    secret: bool,
    problems: &mut Problems,
) -> (Option<Toml>, Option<Range>) {
    let place = |option, forms| Place {
        option,
        forms,
        kind,
        ty,
    };
    let range = args.take("range");
    let range = range.and_then(|given| Range::new(&given, &place("range", ENDS), problems));
    let default = args.take("default").and_then(|given| {
        let place = place("default", LITERALS);
        let default = problems.keep(read_default(&given, &place, optional, secret))?;
        if let Some(range) = &range {
            problems.keep(range.contains(&default, &given, &place));
        }
        Some(default)
    });
    (default, range)
}

fn read_default(
    given: &Given,
    place: &Place<'_>,
    optional: bool,
    secret: bool,
) -> syn::Result<Toml> {
    if secret {
        return Err(given.problem(
            "a secret has no default: it would stand in the source code and in the program file",
            "leave `default` out; the value comes from a file or the environment",
        ));
    }
    if optional {
        let inner = place
            .ty
            .split_once('<')
            .and_then(|(_, rest)| rest.strip_suffix('>'));
        let inner = inner.unwrap_or(place.ty);
        return Err(given.problem(
            format_args!("a field of the type `{}` is `None` by default", place.ty),
            format_args!("write the type `{inner}`, or leave `default` out"),
        ));
    }
    match given.expr() {
        Some(expr) => place.read(expr),
        None => Err(given.wrong_kind("a literal")),
    }
}

/// Refuses what belongs to the fields of a nested struct.
fn refuse_on_nested(args: Args, problems: &mut Problems) {
    for given in args.rest() {
        let name = given.key.name;
        problems.push(problem(
            &given.name,
            format_args!("a nested table has no `{name}` of its own"),
            format_args!("write `{name}` on the fields of the nested struct"),
        ));
    }
}
