//! How a service offers its methods.

use proc_macro2::TokenStream;
use quote::quote;

use super::{
    model::{Argument, Param, Returns, Rpc},
    serves::Served,
    shape::wire,
};

/// Writes the calls that serve the methods, from the end of `#[start]` on.
pub(crate) fn methods(served: &[Served]) -> impl Iterator<Item = TokenStream> + '_ {
    served.iter().map(|served| {
        let methods = served.methods.iter().map(method);
        let topic = match &served.interface {
            None => quote!(cx.name()),
            Some(interface) => quote!(<Self as #interface>::INTERFACE.topic()),
        };
        quote!(::service_runtime::__rt::rpc(cx, #topic, [#(#methods),*]).await?;)
    })
}

fn method(rpc: &Rpc) -> TokenStream {
    let Rpc { method, cfgs, .. } = rpc;
    let name = rpc.name();
    let takes = rpc.arguments().map(|Argument { name, ty, optional }| {
        let key = syn::ext::IdentExt::unraw(name).to_string();
        if *optional {
            quote!(args.take_or_default::<#ty>(#key)?,)
        } else {
            quote!(args.take::<#ty>(#key)?,)
        }
    });
    let args = if rpc.arguments().next().is_some() {
        quote!(args)
    } else {
        quote!(_)
    };
    let names: Vec<_> = rpc.arguments().map(|argument| &argument.name).collect();
    let passed = rpc.params.iter().map(|param| match param {
        Param::Call(place) => place.put(quote!(&call)),
        Param::Context(place) => place.put(quote!(&cx)),
        Param::Argument(argument) => {
            let name = &argument.name;
            quote!(#name)
        }
    });
    let wait = rpc.is_async.then(|| quote!(.await));
    let call = quote!(Self::#method(&this #(, #passed)*)#wait);
    let call = match rpc.returns {
        Returns::Result(_) => call,
        Returns::Nothing | Returns::Value(_) => quote!(::service_runtime::__rt::value(#call)),
    };
    let has = |wanted: fn(&Param) -> bool| rpc.params.iter().any(wanted);
    let cx = if has(|param| matches!(param, Param::Context(_))) {
        quote!(cx)
    } else {
        quote!(_)
    };
    let call_name = if has(|param| matches!(param, Param::Call(_))) {
        quote!(call)
    } else {
        quote!(_)
    };
    let made = rpc.output.put(quote! {
        ::service_runtime::__rt::method(
            cx,
            self,
            #name,
            |#args| ::core::result::Result::Ok((#(#takes)*)),
            |this, #cx, #call_name, (#(#names,)*)| async move { #call },
        )
    });
    let wire = wire(rpc);
    quote!(#(#cfgs)* #made #wire)
}
