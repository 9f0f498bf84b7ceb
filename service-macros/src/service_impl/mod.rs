//! `#[service]` on an impl block: markers become `impl Service`.

mod expand;
mod model;
mod parse;

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;

use crate::problem::Problems;

/// Whether `item` is an impl block, well-formed or not.
pub(crate) fn is_impl(item: &TokenStream) -> bool {
    let mut tokens = item.clone().into_iter();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(hash) if hash.as_char() == '#' => drop(tokens.next()),
            TokenTree::Ident(word) if word == "impl" => return true,
            TokenTree::Ident(word) if word == "unsafe" || word == "default" => {}
            _ => return false,
        }
    }
    false
}

/// Expands the attribute; the methods stay as they were written, whatever is wrong.
pub(crate) fn expand(args: &TokenStream, item: TokenStream) -> TokenStream {
    let mut problems = Problems::default();
    let parse::BlockArgs { serves, runtime } = parse::BlockArgs::new(args, &mut problems);
    let block = match parse::Block::new(item.clone(), &runtime) {
        Ok(block) => block,
        Err(error) => {
            let error = error.to_compile_error();
            return quote!(#item #error);
        }
    };
    let model = model::Model::new(&block, serves, &mut problems);
    let generated = model.as_ref().map(expand::expand);
    let generated = generated.map(|generated| runtime.apply(generated));
    quote!(#block #generated #problems)
}
