//! Tokens as a person would have written them, on one line.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;

/// Writes `tokens` with spaces only where they belong in types and literals.
pub(crate) fn source(tokens: impl ToTokens) -> String {
    let mut text = String::new();
    write(tokens.into_token_stream(), &mut text);
    text
}

fn write(tokens: TokenStream, text: &mut String) {
    for token in tokens {
        let word = matches!(token, TokenTree::Ident(_) | TokenTree::Literal(_));
        let is_plus = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '+');
        let spaced = match text.chars().last() {
            Some(',' | ';' | '+') => true,
            Some(last) if last.is_alphanumeric() || matches!(last, '_' | '"') => word || is_plus,
            Some(_) => is_plus,
            None => false,
        };
        if spaced {
            text.push(' ');
        }
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
            token => text.push_str(&token.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::source;

    #[test]
    fn types_and_literals_look_as_they_were_written() {
        assert_eq!(source(quote!(Option<u16>)), "Option<u16>");
        assert_eq!(
            source(quote!(std::collections::HashMap<String, Vec<u8>>)),
            "std::collections::HashMap<String, Vec<u8>>"
        );
        assert_eq!(source(quote!(Cow<'static, str>)), "Cow<'static, str>");
        assert_eq!(source(quote!(&'static str)), "&'static str");
        assert_eq!(source(quote!([u8; 4])), "[u8; 4]");
        assert_eq!(source(quote!((u8, -5))), "(u8, -5)");
        assert_eq!(source(quote!(Box<dyn A + B>)), "Box<dyn A + B>");
        assert_eq!(source(quote!("1s"..="5m")), r#""1s"..="5m""#);
        assert_eq!(source(quote!(["a", "b"])), r#"["a", "b"]"#);
    }

    #[test]
    fn spaces_of_tokens_are_not_taken_over() {
        for ty in [
            "Result<Vec<u8>, NoRoom>",
            "(u8, [u16; 4])",
            "std::collections::HashMap<String, ()>",
            "Box<dyn Any>",
        ] {
            let spaced: String = ty.replace('<', " < ").replace('>', " > ");
            assert_eq!(source(syn::parse_str::<syn::Type>(&spaced).unwrap()), ty);
        }
    }
}
