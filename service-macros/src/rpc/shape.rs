//! What a method is on the wire, as a constant that the compiler and tests compare.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;

use super::model::{Argument, Returns, Rpc};

/// Writes the `MethodShape` of a method.
pub(super) fn shape(rpc: &Rpc) -> TokenStream {
    let name = rpc.name();
    let arguments = rpc.arguments().map(|Argument { name, ty, optional }| {
        let (name, ty) = (name.unraw().to_string(), text(ty));
        quote!(::service_runtime::rpc::ArgumentShape::new(#name, #ty, #optional))
    });
    let returns = returns(rpc);
    let since = rpc
        .since
        .map(|(major, minor)| quote!(.since(::service_runtime::rpc::Version::new(#major, #minor))));
    let namespace = rpc.namespace.as_ref();
    let namespace = namespace.map(|namespace| quote!(.namespace(#namespace)));
    let cast = rpc.cast.then(|| quote!(.cast()));
    let idempotent = rpc.idempotent.then(|| quote!(.idempotent()));
    quote! {
        ::service_runtime::rpc::MethodShape::new(#name, const { &[#(#arguments),*] }, #returns)
            #since #namespace #cast #idempotent
    }
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
        Returns::Value(ty) | Returns::Result(ty) => text(ty),
    }
}

/// Writes a type as people do, whatever spaces its tokens came with.
fn text(ty: &syn::Type) -> String {
    fn write(tokens: TokenStream, text: &mut String) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => {
                    let (open, close) = match group.delimiter() {
                        Delimiter::Parenthesis => ("(", ")"),
                        Delimiter::Bracket => ("[", "]"),
                        Delimiter::Brace => ("{", "}"),
                        Delimiter::None => ("", ""),
                    };
                    text.push_str(open);
                    write(group.stream(), text);
                    text.push_str(close);
                }
                TokenTree::Punct(punct) => {
                    text.push(punct.as_char());
                    if matches!(punct.as_char(), ',' | ';') {
                        text.push(' ');
                    }
                }
                word => {
                    if text.ends_with(|last: char| last.is_alphanumeric() || last == '_') {
                        text.push(' ');
                    }
                    text.push_str(&word.to_string());
                }
            }
        }
    }
    let mut text = String::new();
    write(ty.to_token_stream(), &mut text);
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn types_are_written_as_people_do() {
        for ty in [
            "Result<Vec<u8>, NoRoom>",
            "(u8, [u16; 4])",
            "std::collections::HashMap<String, ()>",
            "Box<dyn Any>",
        ] {
            let spaced: String = ty.replace('<', " < ").replace('>', " > ");
            assert_eq!(text(&syn::parse_str(&spaced).unwrap()), ty);
        }
    }
}
