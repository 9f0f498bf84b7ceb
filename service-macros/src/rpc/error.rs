//! `#[derive(RpcError)]`: a typed error that crosses to another process and back.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::{Data, DeriveInput, Fields, Ident, Meta};

use crate::{
    args::{self, Args, Key},
    problem::{Problems, problem},
    runtime_path::RuntimePath,
};

/// Writes `impl RpcError`.
pub(crate) fn error(item: TokenStream) -> TokenStream {
    let parsed = syn::parse2(item).and_then(|input| expand(&input));
    parsed.unwrap_or_else(|error| error.to_compile_error())
}

/// Reads `#[rpc_error(crate = …)]`.
fn runtime(input: &DeriveInput) -> syn::Result<RuntimePath> {
    const KEYS: &[Key] = &[Key::CRATE];
    let mut problems = Problems::default();
    let attrs = input.attrs.iter();
    let attrs = attrs.filter(|attr| attr.path().is_ident("rpc_error"));
    let written = attrs.flat_map(|attr| match &attr.meta {
        Meta::List(list) => args::parse(list.tokens.clone(), KEYS, &mut problems),
        other => {
            problems.push(problem(
                other,
                "`#[rpc_error]` has its arguments in parentheses",
                "write `#[rpc_error(crate = facade::runtime)]`, or remove it",
            ));
            Vec::new()
        }
    });
    let written = written.collect();
    let mut args = Args::new("#[rpc_error]", KEYS, written, &mut problems);
    let runtime = RuntimePath::new(args.take("crate").as_ref(), &mut problems);
    problems.result().map(|()| runtime)
}

fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    if let Some(param) = input.generics.params.first() {
        return Err(problem(
            param,
            "`#[derive(RpcError)]` needs a type without parameters: a peer would not know them",
            "remove the parameter",
        ));
    }
    let runtime = runtime(input)?;
    let name = &input.ident;
    let (module, shapes) = match &input.data {
        Data::Struct(data) => (
            quote!(::core::module_path!()),
            vec![Shape::new(name, quote!(Self), &data.fields)],
        ),
        Data::Enum(data) => {
            let shapes = data.variants.iter().map(|variant| {
                let ident = &variant.ident;
                Shape::new(ident, quote!(Self::#ident), &variant.fields)
            });
            let path = format!("::{name}");
            (
                quote!(::core::concat!(::core::module_path!(), #path)),
                shapes.collect(),
            )
        }
        Data::Union(data) => {
            return Err(problem(
                data.union_token,
                "`#[derive(RpcError)]` cannot stand on a union",
                "write it on an enum or a struct",
            ));
        }
    };
    let to = shapes.iter().map(|shape| {
        let Shape {
            class,
            path,
            fields,
            ..
        } = shape;
        let binds = shape.binds();
        let with = fields
            .iter()
            .map(|(key, _, bind)| quote!(.with(#key, #bind)));
        quote!(#path #binds => ::service_runtime::__rt::failure(#class, #module, self) #(#with)*)
    });
    let from = shapes.iter().map(|shape| {
        let Shape {
            class,
            path,
            fields,
            ..
        } = shape;
        let values = fields
            .iter()
            .map(|(key, member, _)| quote!(#member: failure.field(#key)?));
        quote!(#class => ::core::option::Option::Some(#path { #(#values),* }))
    });
    Ok(runtime.apply(quote! {
        impl ::service_runtime::rpc::RpcError for #name {
            fn to_failure(&self) -> ::service_runtime::rpc::Failure {
                match self {
                    #(#to,)*
                }
            }

            fn from_failure(
                failure: &::service_runtime::rpc::Failure,
            ) -> ::core::option::Option<Self> {
                match ::service_runtime::__rt::class(failure, #module)? {
                    #(#from,)*
                    _ => ::core::option::Option::None,
                }
            }
        }
    }))
}

/// A variant, or the whole of a struct.
struct Shape {
    class: String,
    path: TokenStream,
    /// The key on the wire, the name or number of the field, and the name that it is bound to.
    fields: Vec<(String, TokenStream, Ident)>,
}

impl Shape {
    fn new(class: &Ident, path: TokenStream, fields: &Fields) -> Self {
        let fields = fields.iter().enumerate().map(|(place, field)| {
            let member = match &field.ident {
                Some(name) => name.to_token_stream(),
                None => syn::Index::from(place).to_token_stream(),
            };
            let key = member.to_string();
            let key = key.trim_start_matches("r#").to_owned();
            (key, member, format_ident!("field{place}"))
        });
        Self {
            class: class.to_string(),
            path,
            fields: fields.collect(),
        }
    }

    /// Binds the fields; braces fit every kind of fields.
    fn binds(&self) -> TokenStream {
        let binds = self
            .fields
            .iter()
            .map(|(_, member, bind)| quote!(#member: #bind));
        quote!({ #(#binds),* })
    }
}
