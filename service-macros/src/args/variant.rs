//! Variants of the runtime's enums that stand for a word.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};

/// The path of a variant, below `::service_runtime`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Variant(pub(crate) &'static [&'static str]);

impl ToTokens for Variant {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let parts = self
            .0
            .iter()
            .map(|part| Ident::new(part, Span::call_site()));
        tokens.extend(quote!(::service_runtime #(:: #parts)*));
    }
}
