//! What a method is on the wire, as a constant that the compiler and tests compare.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;

use super::model::{Argument, Returns, Rpc};
use crate::source::source;

/// Writes the `MethodShape` of a method.
pub(super) fn shape(rpc: &Rpc) -> TokenStream {
    let name = rpc.name();
    let arguments = rpc.arguments().map(|Argument { name, ty, optional }| {
        let (name, ty) = (name.unraw().to_string(), source(ty));
        quote!(::service_runtime::rpc::ArgumentShape::new(#name, #ty, #optional))
    });
    let returns = returns(rpc);
    let wire = wire(rpc);
    let idempotent = rpc.idempotent.then(|| quote!(.idempotent()));
    quote! {
        ::service_runtime::rpc::MethodShape::new(#name, const { &[#(#arguments),*] }, #returns)
            #wire #idempotent
    }
}

/// Writes what of a method is its address on the wire, in calls of a builder.
pub(super) fn wire(rpc: &Rpc) -> TokenStream {
    let since = rpc
        .since
        .map(|(major, minor)| quote!(.since(::service_runtime::rpc::Version::new(#major, #minor))));
    let namespace = rpc.namespace.as_ref();
    let namespace = namespace.map(|namespace| quote!(.namespace(#namespace)));
    let cast = rpc.cast.then(|| quote!(.cast()));
    quote!(#since #namespace #cast)
}

/// Writes the shapes of several methods, each under its conditions.
pub(super) fn shapes(methods: &[Rpc]) -> impl Iterator<Item = TokenStream> + '_ {
    methods.iter().map(|rpc| {
        let (cfgs, shape) = (&rpc.cfgs, shape(rpc));
        quote!(#(#cfgs)* #shape)
    })
}

/// The types of a method, as the type of a function.
pub(super) fn signature(rpc: &Rpc) -> TokenStream {
    let types = rpc.arguments().map(|argument| &argument.ty);
    let returns = match &rpc.returns {
        Returns::Nothing => None,
        Returns::Value(ty) | Returns::Result(ty) => Some(quote!(-> #ty)),
    };
    quote!(fn(#(#types),*) #returns)
}

fn returns(rpc: &Rpc) -> String {
    match &rpc.returns {
        Returns::Nothing => String::new(),
        Returns::Value(ty) | Returns::Result(ty) => source(ty),
    }
}
