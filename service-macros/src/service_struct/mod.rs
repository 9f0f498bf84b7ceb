//! `#[service]` on a struct: name, static description, registration.

mod expand;
mod model;
mod parse;

use proc_macro2::TokenStream;
use quote::quote;
use syn::ItemStruct;

use crate::problem::Problems;

/// Expands the attribute; the struct stays as it was written, whatever is wrong.
pub(crate) fn expand(args: TokenStream, item: TokenStream, parsed: ItemStruct) -> TokenStream {
    let mut problems = Problems::default();
    let parsed = parse::Parsed::new(args, parsed, &mut problems);
    let model = model::Model::new(parsed, &mut problems);
    let generated = expand::expand(&model);
    quote!(#item #generated #problems)
}
