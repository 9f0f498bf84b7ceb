//! Bodies of functions: kept as tokens and never looked at.
//!
//! The compiler reports what is wrong in them, and an editor completes in a body that is only half
//! written.

use proc_macro2::{Delimiter, Group, TokenTree};
use syn::parse::ParseStream;

/// Takes a body; the invisible group that `macro_rules!` puts around a `$body:block` is one too.
pub(crate) fn body(input: ParseStream<'_>) -> syn::Result<Group> {
    match input.parse()? {
        TokenTree::Group(group)
            if matches!(group.delimiter(), Delimiter::Brace | Delimiter::None) =>
        {
            Ok(group)
        }
        other => Err(syn::Error::new(other.span(), "expected `{`")),
    }
}
