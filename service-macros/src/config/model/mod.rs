//! What a section is, once every rule holds.

mod case;
mod field;
mod kind;
mod literal;
mod range;
mod serde;
mod toml;

use quote::ToTokens;
use syn::{Data, Fields, Generics, Ident};

use self::serde::Container;
pub(super) use self::{
    field::{Content, Field, Tables},
    kind::Collection,
    range::Range,
};
use super::parse::{ITEM_KEYS, Parsed, ParsedField};
use crate::{
    args::Args,
    problem::{Problems, problem},
    runtime_path::RuntimePath,
};

/// A section's options.
pub(super) struct Model {
    pub(super) ident: Ident,
    pub(super) fields: Vec<Field>,
    /// Whether `Default` is written too.
    pub(super) default: bool,
    /// Whether the trait can be implemented at all.
    pub(super) implemented: bool,
    pub(super) runtime: RuntimePath,
}

impl Model {
    /// Checks every rule; what breaks one is left out.
    pub(super) fn new(parsed: Parsed, problems: &mut Problems) -> Self {
        let mut args = Args::new("#[config]", ITEM_KEYS, parsed.options, problems);
        let runtime = RuntimePath::new(args.take("crate").as_ref(), problems);
        // Serde cannot read a union, and what bounds a generic struct needs is not known here: an
        // impl would only add the compiler's errors to ours.
        let implemented = problems.keep(no_generics(&parsed.generics)).is_some()
            && !matches!(parsed.data, Data::Union(_));
        let container = Container::new(&parsed.serde, problems);
        let default = args.take("default");
        if let (Some(given), true) = (&default, container.default) {
            problems.push(given.problem(
                "serde's `default` on the struct asks for the `Default` that is to be written here",
                "remove one of the two: the defaults of the fields are enough for both",
            ));
        }
        let default =
            default.is_some_and(|given| problems.keep(given.boolean()).unwrap_or_default());
        let fields = problems.keep(named_fields(parsed.data, &parsed.ident));
        let fields = fields.into_iter().flatten().filter_map(|field| {
            let field = ParsedField::new(field, problems)?;
            let ident = field.ident.clone();
            let field = Field::new(field, &container, problems)?;
            if default && field.is_required() {
                problems.push(without_default(&ident));
            }
            Some(field)
        });
        Self {
            fields: fields.collect(),
            ident: parsed.ident,
            default: default && !container.default,
            implemented,
            runtime,
        }
    }
}

fn without_default(ident: &Ident) -> syn::Error {
    problem(
        ident,
        format_args!("`#[config(default)]` on the struct needs a default of `{ident}`"),
        "write `#[config(default = …)]` on the field, make it an `Option`, or write `nested` if it is a table",
    )
}

fn named_fields(data: Data, ident: &Ident) -> syn::Result<Vec<syn::Field>> {
    let (tokens, what) = match data {
        Data::Struct(data) => match data.fields {
            Fields::Named(fields) => return Ok(fields.named.into_iter().collect()),
            Fields::Unnamed(fields) => (fields.into_token_stream(), "a tuple struct"),
            Fields::Unit => (ident.to_token_stream(), "a unit struct"),
        },
        Data::Enum(data) => (data.enum_token.to_token_stream(), "an enum"),
        Data::Union(data) => (data.union_token.to_token_stream(), "a union"),
    };
    Err(problem(
        tokens,
        format_args!("`Config` cannot be derived for {what}: a section has named options"),
        format_args!("write `struct {ident} {{ … }}` with one named field for each option"),
    ))
}

fn no_generics(generics: &Generics) -> syn::Result<()> {
    if generics.params.is_empty() {
        return Ok(());
    }
    Err(problem(
        generics,
        "a section has no generic parameters: its options are known before the program runs",
        "write the types out, and own what is borrowed (`String` for `&str`)",
    ))
}

#[cfg(test)]
mod tests;
