//! Arguments as they were written: `name`, `name = expression` or `name = Type`.

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Expr, Ident, Token, Type,
    ext::IdentExt,
    parse::{ParseStream, Parser},
};

use super::Key;
use crate::problem::{Problems, problem};

/// One argument as it was written.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    /// The name before the `=`.
    pub(crate) name: Ident,
    /// What stands behind the `=`, if there is one.
    pub(crate) value: Option<Value>,
}

/// The value of an argument as it was written.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    /// Most values.
    Expr(Box<Expr>),
    /// The value of an argument that takes a type.
    Type(Box<Type>),
}

/// Reads all arguments; one that cannot be read does not hide those behind it.
pub(crate) fn parse(tokens: TokenStream, keys: &[Key], problems: &mut Problems) -> Vec<Written> {
    let list = |input: ParseStream<'_>| {
        let mut all = Vec::new();
        while !input.is_empty() {
            match one(input, keys) {
                Ok(written) => all.push(written),
                Err(error) => {
                    problems.push(error);
                    skip(input);
                }
            }
            let _comma: Option<Token![,]> = input.parse()?;
        }
        Ok(all)
    };
    let parsed = list.parse2(tokens);
    problems.keep(parsed).unwrap_or_default()
}

fn one(input: ParseStream<'_>, keys: &[Key]) -> syn::Result<Written> {
    let Ok(name) = input.call(Ident::parse_any) else {
        let wrong: TokenTree = input.parse()?;
        let example = keys.first().map_or("name = value", |key| key.example);
        let message = format!("`{wrong}` is not the name of an argument");
        return Err(problem(
            &wrong,
            message,
            format_args!("write arguments as `{example}`"),
        ));
    };
    let key = keys.iter().find(|key| name == key.name);
    let example = key.map_or_else(|| format!("{name} = value"), |key| key.example.to_owned());
    let help = format!("write `{example}`");
    if !input.peek(Token![=]) {
        let value = None;
        end(input, &help)?;
        return Ok(Written { name, value });
    }
    input.parse::<Token![=]>()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(problem(&name, format_args!("`{name}` has no value"), help));
    }
    let value = if key.is_some_and(|key| key.is_type) {
        input.parse().map(Value::Type)
    } else {
        input.parse().map(Value::Expr)
    };
    let value =
        value.map_err(|error| syn::Error::new(error.span(), format!("{error}\nhelp: {help}")))?;
    end(input, &help)?;
    Ok(Written {
        name,
        value: Some(value),
    })
}

/// Demands the end of an argument.
fn end(input: ParseStream<'_>, help: &str) -> syn::Result<()> {
    if input.is_empty() || input.peek(Token![,]) {
        return Ok(());
    }
    let wrong: TokenTree = input.fork().parse()?;
    Err(problem(
        &wrong,
        format_args!("`{wrong}` cannot stand here"),
        format_args!("{help}, and a comma before the next argument"),
    ))
}

/// Goes on at the next comma.
fn skip(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        let _skipped = input.parse::<TokenTree>();
    }
}
