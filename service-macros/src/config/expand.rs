//! The code that `#[derive(Config)]` stands for.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Ident, spanned::Spanned};

use super::model::{Collection, Content, Field, Model, Range, Tables};

/// Writes the table of fields.
pub(super) fn expand(model: &Model) -> TokenStream {
    let Model {
        ident,
        fields,
        default,
        implemented,
        runtime,
    } = model;
    if !implemented {
        return TokenStream::new();
    }
    // Whoever holds such a struct unseen masks by the names of its secrets.
    let secrets = fields.iter().any(|field| field.content.secret);
    let secrets = secrets.then(|| quote!(::service_runtime::__rt::secrets! { #ident }));
    let default = default.then(|| self::default(ident, fields));
    let fields = fields.iter().map(field);
    runtime.apply(quote! {
        #[automatically_derived]
        impl ::service_runtime::config::Config for #ident {
            const FIELDS: &'static [::service_runtime::config::Field] = &[#(#fields),*];
        }
        #secrets
        #default
    })
}

/// Writes `Default`, from the defaults of the options and of the tables that must be there.
fn default(ident: &Ident, fields: &[Field]) -> TokenStream {
    let tables = fields.iter().filter(|field| !field.optional);
    let tables = tables.filter_map(|field| field.content.tables.as_ref());
    let tables = tables.filter(|tables| tables.is_declared && tables.within.is_empty());
    let tables = tables.map(|Tables { ty, .. }| {
        let span = Span::mixed_site().located_at(ty.span());
        quote_spanned!(span=> ::service_runtime::__rt::has_defaults::<#ty>();)
    });
    quote! {
        #[automatically_derived]
        impl ::service_runtime::__rt::Defaults for #ident {}
        #[automatically_derived]
        impl ::core::default::Default for #ident {
            fn default() -> Self {
                #(#tables)*
                ::service_runtime::__rt::defaults()
            }
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
    let Content {
        tables,
        default,
        mutable,
        secret,
        range,
    } = content;
    let tables = tables.as_ref().map(self::tables);
    let default = default.as_ref().map(|default| quote!(.default(#default)));
    let mutable = mutable.then(|| quote!(.mutable()));
    let secret = secret.then(|| quote!(.secret()));
    let range = range.as_ref().map(self::range);
    quote!(#tables #default #range #mutable #secret)
}

fn tables(tables: &Tables) -> TokenStream {
    let Tables {
        ty,
        within,
        is_declared,
    } = tables;
    let fields = if *is_declared {
        // The compiler blames the type if it has no fields to nest, but no lint takes what is
        // written here for the author's.
        let span = Span::mixed_site().located_at(ty.span());
        let fields = quote_spanned!(span=> <#ty as ::service_runtime::config::Config>::FIELDS);
        quote!(.nested(|| #fields))
    } else {
        quote!(.described(::service_runtime::__rt::options_of!(#ty)))
    };
    if within.is_empty() {
        return fields;
    }
    let within = within.iter().map(|collection| match collection {
        Collection::List => quote!(::service_runtime::config::Collection::List),
        Collection::Map => quote!(::service_runtime::config::Collection::Map),
    });
    quote!(#fields.within(&[#(#within),*]))
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
