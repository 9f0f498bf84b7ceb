//! Snapshots of every shape of expansion, pretty-printed.

mod impls;
#[cfg(feature = "rpc")]
mod interfaces;
mod mains;
mod recovery;
#[cfg(feature = "rpc")]
mod rpcs;
mod structs;

use proc_macro2::TokenStream;

/// Compares an expansion with the snapshot that is named as the test.
macro_rules! assert_expansion {
    ($expansion:expr) => {
        insta::with_settings!(
            { omit_expression => true, prepend_module_to_snapshot => false },
            { insta::assert_snapshot!($expansion) }
        )
    };
}
use assert_expansion;

/// The expansion as a person would have written it.
fn pretty(expansion: TokenStream) -> String {
    let text = expansion.to_string();
    match syn::parse2(expansion) {
        Ok(file) => prettyplease::unparse(&file),
        Err(error) => panic!("{error} in {text}"),
    }
}

/// `#[service(args)]` on an item.
fn service(args: TokenStream, item: TokenStream) -> String {
    pretty(crate::service::expand(args, item))
}

/// `#[launch(args)]` on an item.
fn launch(args: TokenStream, item: TokenStream) -> String {
    pretty(crate::launch::expand(args, item))
}
