//! The client that stands beside a service.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Attribute, Ident, Type, Visibility};

use super::model::{Argument, Returns, Rpc};

/// Writes the client of a service, with a method for each that can be called.
pub(crate) fn client(self_ty: &Type, cfgs: &[Attribute], methods: &[Rpc]) -> Option<TokenStream> {
    let Type::Path(path) = self_ty else {
        return None;
    };
    let service = path.path.segments.last().filter(|_| !methods.is_empty())?;
    let service = &service.ident;
    let (client, all) = (
        format_ident!("{service}Client"),
        format_ident!("{service}Everywhere"),
    );
    let vis = widest(methods);
    let doc = format!("Calls the methods of [`{service}`] where they are served.");
    let calls = methods.iter().map(|rpc| call(rpc, &rpc.returns));
    let everywhere = methods.iter().any(|rpc| rpc.cast).then(|| {
        quote! {
            /// Tells every worker of every server, instead of one.
            #vis fn everywhere(self) -> #all {
                #all(self.0)
            }
        }
    });
    let all = everywhere
        .is_some()
        .then(|| all_client(&all, service, cfgs, methods, vis));
    Some(quote! {
        #(#cfgs)*
        #[doc = #doc]
        #[derive(::core::fmt::Debug, ::core::clone::Clone)]
        #[allow(dead_code)]
        #vis struct #client(::service_runtime::rpc::Client);

        #(#cfgs)*
        #[allow(dead_code)]
        impl #client {
            /// Makes a client that calls any one server.
            #vis fn new(cx: &::service_runtime::Context) -> Self {
                Self(::service_runtime::__rt::client::<#self_ty>(cx))
            }

            /// Calls this server alone.
            #vis fn on(self, server: impl ::core::convert::Into<::std::string::String>) -> Self {
                Self(self.0.on(server))
            }

            /// Waits no longer than this for an answer.
            #vis fn timeout(self, timeout: ::core::time::Duration) -> Self {
                Self(self.0.timeout(timeout))
            }

            #everywhere
            #(#calls)*
        }
        #all
    })
}

fn all_client(
    all: &Ident,
    service: &Ident,
    cfgs: &[Attribute],
    methods: &[Rpc],
    vis: &Visibility,
) -> TokenStream {
    let doc = format!("Tells every worker that serves [`{service}`].");
    let casts = methods
        .iter()
        .filter(|rpc| rpc.cast)
        .map(|rpc| send(rpc, "cast_to_all"));
    quote! {
        #(#cfgs)*
        #[doc = #doc]
        #[derive(::core::fmt::Debug, ::core::clone::Clone)]
        #[allow(dead_code)]
        #vis struct #all(::service_runtime::rpc::Client);

        #(#cfgs)*
        #[allow(dead_code)]
        impl #all {
            #(#casts)*
        }
    }
}

/// The visibility of the client: that of the first method that others can see.
fn widest(methods: &[Rpc]) -> &Visibility {
    let all = || methods.iter().map(|rpc| &rpc.vis);
    let public = all().find(|vis| matches!(vis, Visibility::Public(_)));
    let seen = || all().find(|vis| !matches!(vis, Visibility::Inherited));
    public.or_else(seen).unwrap_or(&Visibility::Inherited)
}

fn call(rpc: &Rpc, returns: &Returns) -> TokenStream {
    if rpc.cast {
        return send(rpc, "cast");
    }
    let (result, answer) = match returns {
        Returns::Nothing => value(&quote!(())),
        Returns::Value(ty) => value(&quote!(#ty)),
        Returns::Result(ty) => (quote!(#ty), quote!(::service_runtime::rpc::Answer<#ty>)),
    };
    let (head, outgoing) = outgoing(rpc);
    quote!(#head -> #answer { #outgoing.call::<#result>().await })
}

fn value(ty: &TokenStream) -> (TokenStream, TokenStream) {
    let result = quote!(::core::result::Result<#ty, ::service_runtime::rpc::NoError>);
    let answer = quote!(::core::result::Result<#ty, ::service_runtime::rpc::CallError>);
    (result, answer)
}

fn send(rpc: &Rpc, how: &str) -> TokenStream {
    let how = format_ident!("{how}");
    let (head, outgoing) = outgoing(rpc);
    quote! {
        #head -> ::core::result::Result<(), ::service_runtime::rpc::CallError> {
            #outgoing.#how().await
        }
    }
}

/// The head of a client's method, and what it sends.
fn outgoing(rpc: &Rpc) -> (TokenStream, TokenStream) {
    let Rpc {
        method,
        vis,
        docs,
        cfgs,
        ..
    } = rpc;
    let key = rpc.name();
    let params = rpc
        .arguments()
        .map(|Argument { name, ty, .. }| quote!(, #name: #ty));
    let arguments = rpc.arguments().map(|Argument { name, .. }| {
        let key = syn::ext::IdentExt::unraw(name).to_string();
        quote!(.argument(#key, #name))
    });
    let since = rpc.since.map(
        |(major, minor)| quote!(.version(::service_runtime::rpc::Version::new(#major, #minor))),
    );
    let namespace = rpc.namespace.as_ref();
    let namespace = namespace.map(|namespace| quote!(.namespace(#namespace)));
    let docs = if docs.is_empty() {
        let doc = format!("Calls `{key}`.");
        quote!(#[doc = #doc])
    } else {
        quote!(#(#docs)*)
    };
    (
        quote!(#(#cfgs)* #docs #vis async fn #method(&self #(#params)*)),
        quote!(self.0.method(#key) #since #namespace #(#arguments)*),
    )
}
