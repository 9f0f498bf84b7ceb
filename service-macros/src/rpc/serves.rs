//! Which of a service's methods belong to which interface, and that they fit it.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Generics, Path, Type};

use super::{
    model::Rpc,
    shape::{shape, signature},
};
use crate::{
    place::Place,
    problem::{Problems, problem},
};

/// Methods that are served under one topic.
pub(crate) struct Served {
    /// The interface that they belong to; `None` for the service's own.
    pub(super) interface: Option<Path>,
    pub(super) methods: Vec<Rpc>,
}

/// Sorts methods by the interface that they belong to.
pub(crate) fn sort(methods: Vec<Rpc>, serves: Vec<Path>, problems: &mut Problems) -> Vec<Served> {
    if serves.is_empty() {
        for rpc in methods.iter().filter(|rpc| rpc.interface.is_some()) {
            problems.push(problem(
                &rpc.interface,
                "the service serves no interface",
                "write `#[service(serves = …)]` above the impl block",
            ));
        }
        let interface = None;
        return (!methods.is_empty())
            .then_some(Served { interface, methods })
            .into_iter()
            .collect();
    }
    let mut all: Vec<_> = serves
        .into_iter()
        .map(|path| Served {
            interface: Some(path),
            methods: Vec::new(),
        })
        .collect();
    for rpc in methods {
        match place(&rpc, &mut all) {
            Ok(served) => served.methods.push(rpc),
            Err(error) => problems.push(error),
        }
    }
    all
}

fn place<'a>(rpc: &Rpc, all: &'a mut [Served]) -> syn::Result<&'a mut Served> {
    let last = |path: &Path| path.segments.last().map(|last| last.ident.clone());
    match (&rpc.interface, all) {
        (None, [only]) => Ok(only),
        (None, all) => {
            let names = all
                .iter()
                .filter_map(|served| last(served.interface.as_ref()?));
            let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
            Err(problem(
                &rpc.method,
                format_args!("`{}` belongs to one of {}", rpc.method, names.join(", ")),
                "say to which: `#[rpc(interface = …)]`",
            ))
        }
        (Some(wanted), all) => {
            let same =
                |served: &&mut Served| served.interface.as_ref().and_then(last) == last(wanted);
            all.iter_mut().find(same).ok_or_else(|| {
                problem(
                    wanted,
                    "the service does not serve this interface",
                    "add it to `serves` of the impl block's `#[service]`",
                )
            })
        }
    }
}

/// Writes the implementation of each interface: the compiler finds what is missing, too much or of
/// another type, and the constants what else differs.
pub(crate) fn fits<'a>(
    served: &'a [Served],
    generics: &'a Generics,
    self_ty: &'a Type,
    cfgs: &'a [Attribute],
) -> impl Iterator<Item = TokenStream> + 'a {
    served.iter().filter_map(move |served| {
        let interface = served.interface.as_ref()?;
        let (impl_generics, _, where_clause) = generics.split_for_impl();
        let constants = served.methods.iter().map(|rpc| {
            let (name, cfgs, signature) = (&rpc.method, &rpc.cfgs, signature(rpc));
            let place = Place::of_name(name);
            let head = place.put(quote!(const #name: ::service_runtime::rpc::Signature));
            let tail = place.put(quote!(> = ::service_runtime::rpc::Signature::new();));
            let open = place.put(quote!(<));
            quote!(#(#cfgs)* #head #open #signature #tail)
        });
        let checks = served.methods.iter().map(|rpc| {
            let (cfgs, shape) = (&rpc.cfgs, shape(rpc));
            let check = Place::of_name(&rpc.method).put(quote! {
                ::service_runtime::__rt::fits(&<#self_ty as #interface>::INTERFACE, &#shape)
            });
            quote!(#(#cfgs)* const _: () = #check;)
        });
        Some(quote! {
            #(#cfgs)*
            #[allow(non_upper_case_globals)]
            impl #impl_generics #interface for #self_ty #where_clause {
                #(#constants)*
            }
            #(#cfgs)*
            const _: () = { #(#checks)* };
        })
    })
}
