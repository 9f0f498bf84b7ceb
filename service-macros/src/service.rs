//! `#[service]`: a struct, or an impl block of it.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::Item;

use crate::{problem::problem, service_impl, service_struct};

/// Expands the attribute on whatever it stands on.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    if service_impl::is_impl(&item) {
        return service_impl::expand(&args, item);
    }
    let error = match syn::parse2(item.clone()) {
        Ok(Item::Struct(parsed)) => return service_struct::expand(args, item, parsed),
        Ok(other) => {
            let (what, keyword) = keyword(&other);
            problem(
                keyword,
                format_args!("`#[service]` cannot stand on {what}"),
                "write it on a struct, `#[service] struct Greeter;`, and on its impl block, `#[service] impl Greeter { … }`",
            )
        }
        Err(error) => error,
    };
    let error = error.to_compile_error();
    quote!(#item #error)
}

/// What an item is, and the token that says so.
fn keyword(item: &Item) -> (&'static str, TokenStream) {
    match item {
        Item::Enum(item) => ("an enum", item.enum_token.to_token_stream()),
        Item::Union(item) => ("a union", item.union_token.to_token_stream()),
        Item::Trait(item) => ("a trait", item.trait_token.to_token_stream()),
        Item::Fn(item) => ("a function", item.sig.fn_token.to_token_stream()),
        Item::Mod(item) => ("a module", item.mod_token.to_token_stream()),
        Item::Type(item) => ("a type alias", item.type_token.to_token_stream()),
        other => ("this item", other.to_token_stream()),
    }
}
