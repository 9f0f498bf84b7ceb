//! The client that stands beside a service or an interface.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Attribute, Ident, Type, Visibility};

use super::{
    model::{Argument, Returns, Rpc},
    serves::Served,
    shape::shapes,
};

/// What a client is written of.
pub(super) struct ClientOf<'a> {
    pub(super) name: Ident,
    pub(super) doc: String,
    pub(super) everywhere_doc: String,
    pub(super) vis: &'a Visibility,
    /// Conditions that hold for all of it.
    pub(super) cfgs: &'a [&'a Attribute],
    pub(super) methods: &'a [Rpc],
    /// The expression of the interface that it calls.
    pub(super) interface: TokenStream,
}

/// Writes the client of a service whose methods belong to no interface.
pub(crate) fn own_client(
    self_ty: &Type,
    cfgs: &[Attribute],
    served: &[Served],
) -> Option<TokenStream> {
    let Type::Path(path) = self_ty else {
        return None;
    };
    let served = served.iter().find(|served| served.interface.is_none())?;
    let methods = &served.methods;
    let service = &path.path.segments.last()?.ident;
    let shapes = shapes(methods);
    let interface = quote! {
        ::service_runtime::rpc::Interface::new(
            ::service_runtime::__rt::topic::<#self_ty>(),
            const { &[#(#shapes),*] },
        )
    };
    Some(client(&ClientOf {
        name: format_ident!("{service}Client"),
        doc: format!(" Calls the methods of [`{service}`] where they are served."),
        everywhere_doc: format!(" Tells every worker that serves [`{service}`]."),
        vis: widest(methods),
        cfgs: &cfgs.iter().collect::<Vec<_>>(),
        methods,
        interface,
    }))
}

/// Writes a client, with a method for each that can be called.
pub(super) fn client(of: &ClientOf<'_>) -> TokenStream {
    let ClientOf {
        name,
        doc,
        vis,
        cfgs,
        methods,
        interface,
        ..
    } = of;
    let calls = methods.iter().map(call);
    let all = methods
        .iter()
        .any(|rpc| rpc.cast)
        .then(|| everywhere_name(name));
    let everywhere = all.as_ref().map(|all| {
        quote! {
            /// Tells every worker of every server, instead of one.
            #vis fn everywhere(self) -> #all {
                #all(self.0)
            }
        }
    });
    let all = all.map(|all| all_client(&all, of));
    quote! {
        #(#cfgs)*
        #[doc = #doc]
        #[derive(::core::fmt::Debug, ::core::clone::Clone)]
        #[allow(dead_code)]
        #vis struct #name(::service_runtime::rpc::Client);

        #(#cfgs)*
        #[allow(dead_code)]
        impl #name {
            /// Makes a client that calls any one server.
            #vis fn new(cx: &::service_runtime::Context) -> Self {
                ::service_runtime::rpc::TypedClient::connect(cx)
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

        #(#cfgs)*
        impl ::service_runtime::rpc::TypedClient for #name {
            fn interface() -> ::service_runtime::rpc::Interface {
                #interface
            }

            fn from_untyped(client: ::service_runtime::rpc::Client) -> Self {
                Self(client)
            }

            fn untyped(&self) -> &::service_runtime::rpc::Client {
                &self.0
            }
        }
        #all
    }
}

/// `ComputeEverywhere` for `ComputeClient`.
fn everywhere_name(client: &Ident) -> Ident {
    let name = client.to_string();
    let stem = name.strip_suffix("Client").unwrap_or(&name);
    format_ident!("{stem}Everywhere")
}

fn all_client(all: &Ident, of: &ClientOf<'_>) -> TokenStream {
    let ClientOf {
        everywhere_doc,
        vis,
        cfgs,
        methods,
        ..
    } = of;
    let casts = methods
        .iter()
        .filter(|rpc| rpc.cast)
        .map(|rpc| send(rpc, "cast_to_all"));
    quote! {
        #(#cfgs)*
        #[doc = #everywhere_doc]
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

fn call(rpc: &Rpc) -> TokenStream {
    if rpc.cast {
        return send(rpc, "cast");
    }
    let (result, answer) = match &rpc.returns {
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
    let idempotent = rpc.idempotent.then(|| quote!(.idempotent()));
    let docs = if docs.is_empty() {
        let doc = format!(" Calls `{key}`.");
        quote!(#[doc = #doc])
    } else {
        quote!(#(#docs)*)
    };
    (
        quote!(#(#cfgs)* #docs #vis async fn #method(&self #(#params)*)),
        quote!(self.0.method(#key) #since #namespace #idempotent #(#arguments)*),
    )
}
