//! What was written: the item, its fields, and their attributes by whom they speak to.

use syn::{
    Attribute, Data, DeriveInput, Expr, ExprLit, Field, Generics, Ident, Lit, Meta, Token, Type,
    punctuated::Punctuated,
};

use crate::{
    args::{self, Key, Written},
    problem::{Problems, problem},
};

/// The options of `#[config]` on a field.
pub(super) const KEYS: &[Key] = &[
    Key::new("default", "default = 10"),
    Key::new("mutable", "mutable"),
    Key::new("secret", "secret"),
    Key::new("range", "range = 1..=10"),
    Key::new("nested", "nested"),
];

/// The options of `#[config]` on the struct itself.
pub(super) const ITEM_KEYS: &[Key] = &[Key::CRATE, Key::new("default", "default")];

/// The item under the derive.
pub(super) struct Parsed {
    pub(super) ident: Ident,
    pub(super) generics: Generics,
    pub(super) data: Data,
    /// The options of `#[config]` on the item itself.
    pub(super) options: Vec<Written>,
    /// What serde is told of the item.
    pub(super) serde: Vec<Meta>,
}

impl Parsed {
    pub(super) fn new(input: DeriveInput, problems: &mut Problems) -> Self {
        let serde = serde_metas(&input.attrs);
        let attrs = input.attrs.iter();
        let config = attrs.filter(|attr| attr.path().is_ident("config"));
        let options = config.flat_map(|attr| item_options(attr, problems));
        let options = options.collect();
        Self {
            ident: input.ident,
            generics: input.generics,
            data: input.data,
            options,
            serde,
        }
    }
}

/// A named field.
pub(super) struct ParsedField {
    pub(super) ident: Ident,
    pub(super) ty: Type,
    /// The doc comment.
    pub(super) doc: String,
    /// All options, of however many `#[config]` attributes.
    pub(super) options: Vec<Written>,
    /// What serde is told of the field.
    pub(super) serde: Vec<Meta>,
}

impl ParsedField {
    /// Reads the attributes of a field; `None` if it has no name.
    pub(super) fn new(field: Field, problems: &mut Problems) -> Option<Self> {
        let attrs = field.attrs.iter();
        let config = attrs.filter(|attr| attr.path().is_ident("config"));
        let options = config.flat_map(|attr| options(attr, problems)).collect();
        Some(Self {
            ident: field.ident?,
            ty: field.ty,
            doc: doc(&field.attrs),
            options,
            serde: serde_metas(&field.attrs),
        })
    }
}

/// The options of `#[config]` on the item: those of a field are refused as what they are.
fn item_options(attr: &Attribute, problems: &mut Problems) -> Vec<Written> {
    if let Meta::List(list) = &attr.meta {
        let mut unread = Problems::default();
        let keys = [ITEM_KEYS, KEYS].concat();
        let written = args::parse(list.tokens.clone(), &keys, &mut unread);
        let known = |written: &Written| ITEM_KEYS.iter().any(|key| written.name == key.name);
        if unread.count() == 0 && written.iter().all(known) {
            return written;
        }
    }
    problems.push(problem(
        attr,
        "`#[config]` stands on a field",
        "move it to the field that it speaks of",
    ));
    Vec::new()
}

fn options(attr: &Attribute, problems: &mut Problems) -> Vec<Written> {
    if let Meta::List(list) = &attr.meta {
        return args::parse(list.tokens.clone(), KEYS, problems);
    }
    problems.push(problem(
        attr,
        "`#[config]` has its options in parentheses",
        "write it as in `#[config(default = 10, mutable)]`, or remove it",
    ));
    Vec::new()
}

/// Everything in `#[serde(…)]`; what cannot be read is serde's to refuse.
fn serde_metas(attrs: &[Attribute]) -> Vec<Meta> {
    let all = attrs.iter().filter(|attr| attr.path().is_ident("serde"));
    let all = all.map(|attr| attr.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated));
    all.filter_map(Result::ok).flatten().collect()
}

/// The doc comment as text: without what stands before all of its lines, or around them.
fn doc(attrs: &[Attribute]) -> String {
    let written: Vec<String> = attrs.iter().filter_map(doc_text).collect();
    let lines: Vec<&str> = written.iter().flat_map(|text| block(text)).collect();
    let filled = lines.iter().filter(|line| !line.trim().is_empty());
    let indent = filled
        .map(|line| line.len() - line.trim_start().len())
        .min();
    let lines = lines.iter().map(|line| line.get(indent.unwrap_or(0)..));
    let lines: Vec<&str> = lines.map(|line| line.unwrap_or("").trim_end()).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

/// The lines of one comment, without the column of stars that a block comment may have.
fn block(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.split('\n').collect();
    let starless = |line: &str| !line.trim_start().starts_with('*');
    let filled = lines.iter().skip(1).filter(|line| !line.trim().is_empty());
    if filled.copied().any(starless) {
        return lines;
    }
    for line in lines.iter_mut().skip(1) {
        *line = line.trim_start().trim_start_matches('*');
    }
    lines
}

fn doc_text(attr: &Attribute) -> Option<String> {
    match &attr.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::doc;

    #[test]
    fn a_doc_comment_loses_what_indents_all_of_it() {
        let attrs: [syn::Attribute; 6] = [
            parse_quote!(#[doc = ""]),
            parse_quote!(#[doc = " The port."]),
            parse_quote!(#[doc(hidden)]),
            parse_quote!(#[doc = ""]),
            parse_quote!(#[doc = "   Indented. "]),
            parse_quote!(#[doc = ""]),
        ];
        assert_eq!(doc(&attrs), "The port.\n\n  Indented.");
        assert_eq!(doc(&[]), "");
    }

    #[test]
    fn a_block_comment_is_several_lines() {
        let attrs = [parse_quote!(#[doc = "\n     The port.\n\n     Of the server.\n     "])];
        assert_eq!(doc(&attrs), "The port.\n\nOf the server.");
        let attrs = [parse_quote!(#[doc = " The port.\n     *\n     * Of the server. "])];
        assert_eq!(doc(&attrs), "The port.\n\nOf the server.");
    }
}
