//! One known argument, read as the kind of value that it takes.

use std::{fmt::Display, str::FromStr, time::Duration};

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Expr, ExprLit, Ident, Lit, LitStr, Path, Type};

use super::{Key, Value, duration::parse_duration, near_miss};
use crate::problem::problem;

/// An argument that its attribute knows.
pub(crate) struct Given {
    /// What the attribute knows of it.
    pub(crate) key: Key,
    /// Its name as it was written.
    pub(crate) name: Ident,
    /// Its value as it was written.
    pub(crate) value: Option<Value>,
}

impl Given {
    /// Blames the value, or the name if there is none.
    pub(crate) fn problem(&self, wrong: impl Display, help: impl Display) -> syn::Error {
        problem(self.blamed(), wrong, help)
    }

    /// Refuses a value of the wrong kind.
    pub(crate) fn wrong_kind(&self, wanted: &str) -> syn::Error {
        self.problem(
            format_args!("`{}` takes {wanted}", self.key.name),
            format_args!("write `{}`", self.key.example),
        )
    }

    /// Refuses the value with a reason of its own.
    pub(crate) fn wrong_value(&self, wrong: impl Display) -> syn::Error {
        self.problem(wrong, format_args!("write `{}`", self.key.example))
    }

    /// The value as an expression.
    pub(crate) fn expr(&self) -> Option<&Expr> {
        match &self.value {
            Some(Value::Expr(expr)) => Some(bare(expr)),
            _ => None,
        }
    }

    /// Reads a type.
    pub(crate) fn ty(&self) -> syn::Result<Type> {
        match &self.value {
            Some(Value::Type(ty)) => Ok((**ty).clone()),
            _ => Err(self.wrong_kind("a type")),
        }
    }

    /// Reads a path, to a function unless it is told otherwise.
    pub(crate) fn path(&self) -> syn::Result<Path> {
        match self.expr() {
            Some(Expr::Path(path)) => Ok(path.path.clone()),
            _ => Err(self.wrong_kind("the path of a function")),
        }
    }

    /// Reads `true` or `false`; the bare name is `true`.
    pub(crate) fn boolean(&self) -> syn::Result<bool> {
        match (&self.value, self.lit()) {
            (None, _) => Ok(true),
            (_, Some(Lit::Bool(lit))) => Ok(lit.value),
            _ => Err(self.wrong_kind("`true` or `false`")),
        }
    }

    /// Reads a string.
    pub(crate) fn text(&self) -> syn::Result<LitStr> {
        match self.lit() {
            Some(Lit::Str(text)) => Ok(text.clone()),
            _ => Err(self.wrong_kind("a string")),
        }
    }

    /// Reads a string with something in it.
    pub(crate) fn filled_text(&self) -> syn::Result<LitStr> {
        let text = self.text()?;
        if text.value().trim().is_empty() {
            return Err(self.wrong_value(format_args!("`{}` is empty", self.key.name)));
        }
        Ok(text)
    }

    /// Reads a list of strings; one alone needs no brackets.
    pub(crate) fn texts(&self) -> syn::Result<Vec<LitStr>> {
        if let Some(Lit::Str(text)) = self.lit() {
            return Ok(vec![text.clone()]);
        }
        let Some(Expr::Array(list)) = self.expr() else {
            return Err(self.wrong_kind("a list of strings"));
        };
        let texts = list.elems.iter().map(|element| match bare(element) {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => Ok(text.clone()),
            other => {
                let wrong = format!("`{}` takes a list of strings", self.key.name);
                let help = format!("write `{}`", self.key.example);
                Err(problem(other, wrong, help))
            }
        });
        texts.collect()
    }

    /// Reads a duration, as people write it.
    pub(crate) fn duration(&self) -> syn::Result<Duration> {
        let Some(Lit::Str(text)) = self.lit() else {
            return Err(self.wrong_kind("a duration as a string"));
        };
        let text = text.value();
        parse_duration(&text).map_err(|why| {
            self.problem(
                format_args!("`{text}` is not a duration: {why}"),
                format_args!(
                    "write a number and a unit, as in `\"500ms\"`, `\"60s\"`, `\"5m\"`, `\"1h 30m\"` or `\"1d\"`"
                ),
            )
        })
    }

    /// Reads a duration that is not zero.
    pub(crate) fn positive_duration(&self) -> syn::Result<Duration> {
        let duration = self.duration()?;
        if duration.is_zero() {
            return Err(self.wrong_value(format_args!("`{}` must be more than 0", self.key.name)));
        }
        Ok(duration)
    }

    /// Reads a whole number; `None` if the value is no literal.
    pub(crate) fn number<T: FromStr<Err: Display>>(&self) -> syn::Result<Option<T>> {
        match self.expr() {
            Some(Expr::Lit(ExprLit {
                lit: Lit::Int(number),
                ..
            })) => {
                let digits = number.base10_digits();
                let parsed = digits.parse().map(Some);
                parsed.map_err(|why| self.wrong_value(format_args!("`{digits}`: {why}")))
            }
            Some(Expr::Unary(negative)) if matches!(negative.op, syn::UnOp::Neg(_)) => {
                Err(self.wrong_value(format_args!("`{}` cannot be negative", self.key.name)))
            }
            Some(Expr::Lit(_) | Expr::Array(_) | Expr::Tuple(_)) | None => {
                Err(self.wrong_kind("a whole number"))
            }
            Some(_) => Ok(None),
        }
    }

    /// Reads one of a few words.
    pub(crate) fn choice<T: Copy>(&self, choices: &[(&'static str, T)]) -> syn::Result<T> {
        let text = self.text()?.value();
        if let Some((_, choice)) = choices.iter().find(|(word, _)| text == *word) {
            return Ok(*choice);
        }
        let words: Vec<_> = choices
            .iter()
            .map(|(word, _)| format!("`\"{word}\"`"))
            .collect();
        let words = words.join(", ");
        let help = match near_miss(&text, choices.iter().map(|(word, _)| *word)) {
            Some(meant) => format!("write `\"{meant}\"`; the choices are {words}"),
            None => format!("the choices are {words}"),
        };
        let wrong = format!("`{}` cannot be `\"{text}\"`", self.key.name);
        Err(self.problem(wrong, help))
    }

    fn lit(&self) -> Option<&Lit> {
        match self.expr() {
            Some(Expr::Lit(lit)) => Some(&lit.lit),
            _ => None,
        }
    }

    /// The value, or the name if there is none.
    pub(crate) fn blamed(&self) -> TokenStream {
        match &self.value {
            Some(Value::Expr(expr)) => expr.to_token_stream(),
            Some(Value::Type(ty)) => ty.to_token_stream(),
            None => {
                let name = &self.name;
                quote!(#name)
            }
        }
    }
}

/// Looks through parentheses and the invisible groups that `macro_rules!` leaves.
pub(crate) fn bare(mut expr: &Expr) -> &Expr {
    loop {
        expr = match expr {
            Expr::Group(group) => &group.expr,
            Expr::Paren(paren) => &paren.expr,
            other => return other,
        };
    }
}
