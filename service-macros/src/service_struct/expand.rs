//! The code that a struct with `#[service]` stands for.

use proc_macro2::TokenStream;
use quote::quote;

use super::model::Model;

/// Writes the description and the registration.
pub(super) fn expand(model: &Model) -> TokenStream {
    let Model {
        ident,
        generics,
        cfgs,
        name,
        after,
        config,
        on_error,
        registered,
        runtime,
    } = model;
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let after = (!after.is_empty()).then(|| quote!(.after(&[#(#after),*])));
    let on_error = on_error
        .as_ref()
        .map(|on_error| quote!(.on_error(#on_error)));
    let config = config.as_ref();
    let section = config.map(|ty| quote!(.section(::service_runtime::__rt::section::<#ty>())));
    let register = registered.then(|| {
        quote! {
            #(#cfgs)*
            ::service_runtime::__rt::register!(#ident);
        }
    });
    runtime.apply(quote! {
        #(#cfgs)*
        impl #impl_generics ::service_runtime::__rt::Describe for #ident #ty_generics #where_clause {
            const DESCRIPTION: ::service_runtime::__rt::Static =
                ::service_runtime::__rt::Static::new(#name) #after #on_error #section;
        }
        #register
    })
}
