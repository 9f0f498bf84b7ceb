//! `#[launch]` on `main`.

mod expand;
mod keys;
mod model;
mod parse;

use proc_macro2::TokenStream;
use quote::quote;

use crate::problem::{Problems, problem};

/// Expands the attribute; `main` stays as it was written, whatever is wrong.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut problems = Problems::default();
    let function: parse::Function = match syn::parse2(item.clone()) {
        Ok(function) => function,
        Err(_) => {
            let first = item.clone().into_iter().next();
            let error = problem(
                quote!(#first),
                "`#[launch]` stands on the function `main`",
                "write it above `fn main() -> Greeter { … }`",
            );
            let error = error.to_compile_error();
            return quote!(#item #error);
        }
    };
    let args = parse::arguments(args, &mut problems);
    let model = model::Model::new(args, &function, &mut problems);
    let generated = match model {
        Some(model) => expand::expand(&model, &function),
        None => expand::unusable(&function),
    };
    quote!(#generated #problems)
}
