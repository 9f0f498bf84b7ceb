//! What the author's crate calls `service-runtime`.
//!
//! Expansions are written for `::service_runtime`. Where the crate goes by another name, the finished
//! expansion is rewritten at this one place, so that no expansion can forget it.

mod manifest;
mod toml;

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::Path;

use crate::{args::Given, problem::Problems};

/// The name that every expansion is written for.
const OWN: &str = "service_runtime";

/// The path of the runtime, as the author's crate can write it.
pub(crate) struct RuntimePath(Option<TokenStream>);

impl RuntimePath {
    /// Takes the path that the argument `crate` gives, or else the name in the manifest.
    pub(crate) fn new(given: Option<&Given>, problems: &mut Problems) -> Self {
        let given = given.and_then(|given| problems.keep(path(given)));
        given.map_or_else(Self::of_manifest, |path| Self(Some(path.to_token_stream())))
    }

    /// Takes the name that the manifest of the author's crate has for the runtime.
    pub(crate) fn of_manifest() -> Self {
        let renamed = manifest::name_of_runtime().map(|name| {
            let name = Ident::new(&name, Span::call_site());
            quote!(::#name)
        });
        Self(renamed)
    }

    /// Whether `path` is one of the runtime's own items: `service_runtime::start`.
    pub(crate) fn holds(&self, path: &Path) -> bool {
        let mut words: Vec<_> = path
            .segments
            .iter()
            .map(|part| part.ident.to_string())
            .collect();
        words.pop();
        let renamed = self.0.as_ref().is_some_and(|renamed| {
            let words_of_path = renamed.clone().into_iter().filter_map(|token| match token {
                TokenTree::Ident(word) => Some(word.to_string()),
                _ => None,
            });
            words_of_path.eq(words.iter().cloned())
        });
        renamed || words == [OWN] || words == ["service_macros"]
    }

    /// Lets `generated` name the runtime as the author's crate does.
    pub(crate) fn apply(&self, generated: TokenStream) -> TokenStream {
        match &self.0 {
            Some(path) => rewrite(generated, path),
            None => generated,
        }
    }
}

fn path(given: &Given) -> syn::Result<Path> {
    given
        .path()
        .map_err(|_| given.wrong_kind("the path of the crate"))
}

/// Replaces each `::service_runtime` at the start of a path.
fn rewrite(tokens: TokenStream, path: &TokenStream) -> TokenStream {
    let mut written: Vec<TokenTree> = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let mut rewritten = Group::new(group.delimiter(), rewrite(group.stream(), path));
                rewritten.set_span(group.span());
                written.push(rewritten.into());
            }
            TokenTree::Ident(word) if word == OWN && starts_path(&written) => {
                written.truncate(written.len() - 2);
                written.extend(path.clone().into_iter().map(|mut token| {
                    token.set_span(place(&token, word.span()));
                    token
                }));
            }
            other => written.push(other),
        }
    }
    written.into_iter().collect()
}

/// Where a token of the path stands: with the code around it, so that no lint takes it for the author's.
///
/// `$crate` alone means another crate at another place.
fn place(token: &TokenTree, around: Span) -> Span {
    match token {
        TokenTree::Ident(word) if word == "$crate" => word.span().located_at(around),
        _ => around,
    }
}

/// Whether `written` ends in a `::` with no segment of a path before it.
fn starts_path(written: &[TokenTree]) -> bool {
    let is = |token: &TokenTree, wanted: char| matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted);
    let [before @ .., first, second] = written else {
        return false;
    };
    if !is(first, ':') || !is(second, ':') {
        return false;
    }
    match before {
        [.., TokenTree::Ident(word)] => is_keyword(word),
        [.., TokenTree::Group(group)] => group.delimiter() != Delimiter::None,
        [.., arrow, end] if is(end, '>') => is(arrow, '-') || is(arrow, '='),
        _ => true,
    }
}

/// Whether a word can stand before a path without being a part of it.
fn is_keyword(word: &Ident) -> bool {
    let word = word.to_string();
    matches!(
        word.as_str(),
        "as" | "const"
            | "dyn"
            | "else"
            | "for"
            | "if"
            | "impl"
            | "in"
            | "let"
            | "match"
            | "move"
            | "mut"
            | "pub"
            | "ref"
            | "return"
            | "unsafe"
            | "use"
            | "where"
            | "while"
    )
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    fn named(path: TokenStream) -> RuntimePath {
        RuntimePath(Some(path))
    }

    #[test]
    fn every_path_of_an_expansion_is_that_of_the_author() {
        let written = quote! {
            impl ::service_runtime::Service for Api {
                fn f(&self) -> ::service_runtime::Health {
                    <T as ::service_runtime::config::Config>::FIELDS;
                    call::<::service_runtime::Size>(::service_runtime::__rt::value(1))
                }
            }
            ::service_runtime::__rt::register!(Api);
        };
        let wanted = quote! {
            impl facade::rt::Service for Api {
                fn f(&self) -> facade::rt::Health {
                    <T as facade::rt::config::Config>::FIELDS;
                    call::<facade::rt::Size>(facade::rt::__rt::value(1))
                }
            }
            facade::rt::__rt::register!(Api);
        };
        let rewritten = named(quote!(facade::rt)).apply(written);
        assert_eq!(rewritten.to_string(), wanted.to_string());
    }

    #[test]
    fn what_the_author_calls_so_below_another_path_stays() {
        let written = quote! {
            fn f(x: facade::service_runtime::Context, y: <T as X>::service_runtime) {
                crate::service_runtime::f(service_runtime)
            }
        };
        let rewritten = named(quote!(facade::service_runtime)).apply(written.clone());
        assert_eq!(rewritten.to_string(), written.to_string());
    }

    #[test]
    fn markers_are_known_by_the_name_of_the_crate() {
        let runtime = named(quote!(::sr));
        assert!(runtime.holds(&parse_quote!(sr::start)));
        assert!(runtime.holds(&parse_quote!(::sr::start)));
        assert!(runtime.holds(&parse_quote!(service_runtime::start)));
        assert!(!runtime.holds(&parse_quote!(tokio::start)));
    }
}
