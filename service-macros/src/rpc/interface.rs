//! `#[interface]` on a trait: methods that services of other crates serve, and a client for their callers.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{
    Attribute, Generics, ItemTrait, LitStr, Meta, ReceiverKind, Safety, Signature, TraitItem,
    TraitItemFn, Visibility, ext::IdentExt, parse_quote,
};

use super::{
    client::{ClientOf, client},
    model::{Param, Rpc},
    shape::{shapes, signature},
};
use crate::{
    args::{self, Args, Key},
    markers::{Kind, Marker},
    problem::{Problems, problem},
    runtime_path::RuntimePath,
};

const KEYS: &[Key] = &[Key::new("topic", r#"topic = "compute""#), Key::CRATE];

/// Expands the attribute; methods that are wrong are left out, and told.
pub(crate) fn interface(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut problems = Problems::default();
    let parsed = match syn::parse2::<ItemTrait>(item.clone()) {
        Ok(parsed) => parsed,
        Err(error) => {
            let error = match syn::parse2::<syn::Item>(item.clone()) {
                Ok(other) => problem(
                    other,
                    "`#[interface]` stands on a trait",
                    "write `#[interface(topic = \"compute\")] trait ComputeApi { … }`",
                ),
                Err(_) => error,
            };
            let error = error.to_compile_error();
            return quote!(#item #error);
        }
    };
    let written = args::parse(args, KEYS, &mut problems);
    let mut args = Args::new("#[interface]", KEYS, written, &mut problems);
    let runtime = RuntimePath::new(args.take("crate").as_ref(), &mut problems);
    let topic = args.take("topic");
    if topic.is_none() {
        problems.push(problem(
            &parsed.ident,
            "`#[interface]` needs the topic under which its methods are served",
            "write `#[interface(topic = \"compute\")]`",
        ));
    }
    let topic = topic.and_then(|given| problems.keep(given.filled_text()));
    problems.keep(check_header(&parsed));
    let methods = parsed.items.iter();
    let methods = methods.filter_map(|item| method(item, &parsed.vis, &runtime, &mut problems));
    let interface = Interface {
        topic: topic.unwrap_or_else(|| LitStr::new("", parsed.ident.span())),
        methods: methods.collect(),
        attrs: parsed.attrs,
        vis: parsed.vis,
        ident: parsed.ident,
    };
    let generated = runtime.apply(interface.expand());
    quote!(#generated #problems)
}

/// A trait whose every rule holds.
struct Interface {
    attrs: Vec<Attribute>,
    vis: Visibility,
    ident: Ident,
    topic: LitStr,
    methods: Vec<Rpc>,
}

impl Interface {
    fn expand(&self) -> TokenStream {
        let Self {
            attrs,
            vis,
            ident,
            topic,
            methods,
        } = self;
        let cfgs: Vec<_> = attrs
            .iter()
            .filter(|attr| attr.path().is_ident("cfg"))
            .collect();
        let constants = methods.iter().map(|rpc| {
            let (name, docs, cfgs) = (&rpc.method, &rpc.docs, &rpc.cfgs);
            let signature = signature(rpc);
            quote! {
                #(#cfgs)*
                #(#docs)*
                #[allow(non_upper_case_globals)]
                const #name: ::service_runtime::rpc::Signature<#signature>;
            }
        });
        let shapes = shapes(methods);
        let interface = quote! {
            ::service_runtime::rpc::Interface::new(#topic, const { &[#(#shapes),*] })
        };
        let client = client(&ClientOf {
            name: client_name(ident),
            doc: format!(" Calls the methods of [`{ident}`] where they are served."),
            everywhere_doc: format!(" Tells every worker that serves [`{ident}`]."),
            vis,
            cfgs: &cfgs,
            methods,
            interface: interface.clone(),
        });
        quote! {
            #(#attrs)*
            #vis trait #ident {
                #(#constants)*
                #[doc(hidden)]
                const INTERFACE: ::service_runtime::rpc::Interface = #interface;
            }
            #client
        }
    }
}

/// `ComputeClient` for `ComputeApi` and for `Compute`.
fn client_name(ident: &Ident) -> Ident {
    let name = ident.unraw().to_string();
    let stem = name.strip_suffix("Api").filter(|stem| !stem.is_empty());
    format_ident!("{}Client", stem.unwrap_or(&name), span = ident.span())
}

fn check_header(item: &ItemTrait) -> syn::Result<()> {
    let mut problems = Problems::default();
    let Generics { params, .. } = &item.generics;
    if let Some(param) = params.first() {
        problems.push(problem(
            param,
            "an interface cannot be generic: a peer would not know the type",
            "remove the parameter",
        ));
    }
    if let Some(supertrait) = item.supertraits.first() {
        problems.push(problem(
            supertrait,
            "an interface stands for itself: what crosses to another process has no supertrait",
            "remove it",
        ));
    }
    problems.result()
}

fn method(
    item: &TraitItem,
    vis: &Visibility,
    runtime: &RuntimePath,
    problems: &mut Problems,
) -> Option<Rpc> {
    let TraitItem::Fn(function) = item else {
        problems.push(problem(
            item,
            "an interface has methods alone",
            "move it out of the trait",
        ));
        return None;
    };
    let TraitItemFn {
        attrs,
        sig,
        default,
        ..
    } = function;
    if let Some(body) = default {
        problems.push(problem(
            body,
            "a method of an interface has no body: services have",
            "end it with `;`",
        ));
    }
    let marker = marker(attrs, runtime, problems);
    let plain = problems.keep(check_signature(sig));
    let attrs = attrs
        .iter()
        .filter(|attr| Marker::read(attr, runtime).is_none());
    let attrs: Vec<_> = attrs.collect();
    let cfgs = attrs.iter().filter(|attr| attr.path().is_ident("cfg"));
    let cfgs: Vec<_> = cfgs.map(|attr| (*attr).clone()).collect();
    let attrs: Vec<_> = attrs.into_iter().cloned().collect();
    let mut rpc = Rpc::new(&marker, (vis, sig, &attrs), &cfgs, problems)?;
    if let Some(interface) = &rpc.interface {
        problems.push(problem(
            interface,
            "a method belongs to the interface that it stands in",
            "remove `interface`",
        ));
    }
    for param in &rpc.params {
        if let Param::Call(place) | Param::Context(place) = param {
            problems.push(problem(
                place.put(quote!(reference)),
                "an interface holds what callers send: `&Call` and `&Context` are the service's own",
                "remove it here; the method of the service may take it all the same",
            ));
        }
    }
    rpc.params
        .retain(|param| matches!(param, Param::Argument(_)));
    plain.map(|()| rpc)
}

/// Refuses what does not cross to another process.
fn check_signature(sig: &Signature) -> syn::Result<()> {
    let mut problems = Problems::default();
    let borrows = sig
        .receiver()
        .is_some_and(|receiver| matches!(receiver.kind, ReceiverKind::Reference(_, _, None)));
    if !borrows {
        let name = &sig.ident;
        problems.push(problem(
            name,
            "a method of an interface is called on a service that others use at the same time",
            format_args!("write `fn {name}(&self, …)`"),
        ));
    }
    if let Some(param) = sig.generics.params.first() {
        problems.push(problem(
            param,
            "a method of an interface cannot be generic: a peer would not know the type",
            "remove the parameter",
        ));
    }
    let (constness, abi) = (&sig.constness, &sig.abi);
    let qualifiers = match &sig.safety {
        Safety::Unsafe(token) => quote!(#constness #token #abi),
        _ => quote!(#constness #abi),
    };
    if !qualifiers.is_empty() {
        problems.push(problem(
            qualifiers,
            "a method of an interface is a plain function, or an `async` one",
            "remove this",
        ));
    }
    problems.result()
}

/// The marker of a method: `#[rpc]` if it has none.
fn marker(attrs: &[Attribute], runtime: &RuntimePath, problems: &mut Problems) -> Meta {
    let mut found: Option<Meta> = None;
    for marker in attrs.iter().filter_map(|attr| Marker::read(attr, runtime)) {
        if marker.kind != Kind::Rpc || !marker.exact {
            problems.push(problem(
                marker.path(),
                "a method of an interface knows no other marker than `#[rpc]`",
                "write `#[rpc(…)]`, or nothing",
            ));
        } else if found.is_some() {
            problems.push(problem(
                marker.path(),
                "`#[rpc]` is given twice",
                "keep one of the two",
            ));
        } else {
            found = Some(marker.meta);
        }
    }
    found.unwrap_or_else(|| parse_quote!(rpc))
}
