//! The code that `#[derive(Config)]` stands for.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::model::{Content, Field, Model, Range};

/// Writes the table of fields.
pub(super) fn expand(model: &Model) -> TokenStream {
    let Model {
        ident,
        fields,
        implemented,
    } = model;
    if !implemented {
        return TokenStream::new();
    }
    let fields = fields.iter().map(field);
    quote! {
        #[automatically_derived]
        impl ::service_runtime::config::Config for #ident {
            const FIELDS: &'static [::service_runtime::config::Field] = &[#(#fields),*];
        }
    }
}

fn field(field: &Field) -> TokenStream {
    let Field {
        name,
        ty,
        doc,
        aliases,
        optional,
        content,
    } = field;
    let doc = (!doc.is_empty()).then(|| quote!(.doc(#doc)));
    let aliases = (!aliases.is_empty()).then(|| quote!(.aliases(&[#(#aliases),*])));
    let optional = optional.then(|| quote!(.optional()));
    let content = self::content(content);
    quote! {
        ::service_runtime::config::Field::new(#name, #ty) #doc #aliases #optional #content
    }
}

fn content(content: &Content) -> TokenStream {
    match content {
        Content::Nested(ty) => {
            // The compiler blames the type if it has no fields to nest, but no lint takes what is
            // written here for the author's.
            let span = Span::mixed_site().located_at(ty.span());
            let fields = quote_spanned!(span=> <#ty as ::service_runtime::config::Config>::FIELDS);
            quote!(.nested(#fields))
        }
        Content::Value {
            default,
            mutable,
            secret,
            range,
        } => {
            let default = default.as_ref().map(|default| quote!(.default(#default)));
            let mutable = mutable.then(|| quote!(.mutable()));
            let secret = secret.then(|| quote!(.secret()));
            let range = range.as_ref().map(self::range);
            quote!(#default #range #mutable #secret)
        }
    }
}

fn range(range: &Range) -> TokenStream {
    let (low, high) = range.ends();
    let end = |end: Option<String>| match end {
        Some(end) => quote!(::core::option::Option::Some(#end)),
        None => quote!(::core::option::Option::None),
    };
    let (low, high) = (end(low), end(high));
    quote!(.range(#low, #high))
}
