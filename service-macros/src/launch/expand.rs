//! The code that `#[launch]` stands for.
//!
//! The author's function keeps its name inside the generated one: any other name could hide a
//! function that the author calls.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::LitInt;

use super::{
    model::{Launcher, Model, Value},
    parse::Function,
};
use crate::{args::duration_tokens, place::Place};

/// Writes the `main` that launches.
pub(super) fn expand(model: &Model, function: &Function) -> TokenStream {
    let Function {
        attrs,
        vis,
        sig,
        body,
    } = function;
    let cfgs = attrs.iter().filter(|attr| attr.path().is_ident("cfg"));
    let crates = &model.crates;
    let settings = model
        .settings
        .iter()
        .map(|(name, value)| quote!(.#name(#value)));
    let main = match sig.asyncness {
        Some(_) => quote!(::service_runtime::__rt::AsyncMain(main)),
        None => quote!(main),
    };
    let main = Place::of_output(sig).put(main);
    let launch = match model.launcher {
        Launcher::Any => quote!(::service_runtime::launch(options, #main)),
        Launcher::Service => {
            let launcher = quote!(::service_runtime::ServiceLauncher::new(options));
            quote!(#launcher.run(#main))
        }
        Launcher::Process => {
            let launcher = quote!(::service_runtime::ProcessLauncher::new(options));
            quote!(#launcher.run(#main))
        }
    };
    let parts = model.parts.iter().map(|part| {
        let check = quote!(::service_runtime::__rt::launchable::<#part>());
        let check = Place::of_type(part).put(check);
        quote!(#check;)
    });
    let launch = model.runtime.apply(quote! {
        #(#parts)*
        let options = ::service_runtime::__rt::options!() #(#settings)*;
        #launch
    });
    quote! {
        #(#cfgs)*
        #vis fn main() -> ::std::process::ExitCode {
            #(use #crates as _;)*
            #(#attrs)*
            #sig #body
            #launch
        }
    }
}

/// Keeps a function that cannot be launched, so that nothing but the reason is reported.
pub(super) fn unusable(function: &Function) -> TokenStream {
    let Function {
        attrs,
        vis,
        sig,
        body,
    } = function;
    if sig.ident != "main" {
        return quote!(#(#attrs)* #vis #sig #body);
    }
    quote! {
        #vis fn main() {
            #[allow(dead_code)]
            #(#attrs)*
            #sig #body
        }
    }
}

impl ToTokens for Value {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(match self {
            Self::Usize(number) => {
                let number = number.get();
                quote!(#number)
            }
            Self::U64(number) => quote!(#number),
            Self::Bool(value) => quote!(#value),
            Self::Size(bytes) => quote!(::service_runtime::Size::from_bytes(#bytes)),
            Self::Mask(mask) => {
                let mask = LitInt::new(&format!("0o{mask:03o}"), Span::call_site());
                quote!(#mask)
            }
            Self::Duration(duration) => duration_tokens(*duration),
            Self::RestartLimit(deaths, window) => {
                let window = duration_tokens(*window);
                quote!((#deaths, #window))
            }
            Self::ResourceLimit((None, _)) => quote!(::service_runtime::ResourceLimit::UNLIMITED),
            Self::ResourceLimit((Some(soft), hard)) if Some(*soft) == *hard => quote!(#soft),
            Self::ResourceLimit((Some(soft), hard)) => {
                let hard = hard.map_or_else(
                    || quote!(::core::option::Option::None),
                    |hard| quote!(#hard),
                );
                quote!(::service_runtime::ResourceLimit::soft_and_hard(#soft, #hard))
            }
            Self::Text(text) => quote!(#text),
            Self::Texts(texts) => quote!(&[#(#texts),*]),
            Self::Variant(variant) => quote!(#variant),
            Self::Function(path) => quote!(#path),
            Self::Expr(expr) => quote!(#expr),
            Self::Nothing => return,
        });
    }
}
