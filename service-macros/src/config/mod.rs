//! `#[derive(Config)]`: what a section's struct tells of its options.

mod expand;
#[cfg(test)]
mod expansions;
mod model;
mod parse;

use proc_macro2::TokenStream;
use quote::quote;

use crate::problem::Problems;

/// Expands the derive; the struct is implemented with all that is right about it.
pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let input = match syn::parse2(item) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let mut problems = Problems::default();
    let parsed = parse::Parsed::new(input, &mut problems);
    let model = model::Model::new(parsed, &mut problems);
    let generated = expand::expand(&model);
    quote!(#generated #problems)
}
