//! Literals of Rust that fit a field.

use quote::ToTokens;
use syn::{Expr, ExprLit, Lit, LitInt, UnOp};

use super::{
    kind::Kind,
    toml::{Toml, size},
};
use crate::{
    args::{bare, parse_duration},
    problem::{Problems, problem},
    source::source,
};

/// What a default can be.
pub(super) const LITERALS: &str = "write a number, `true`, `false`, a string or an array of these; durations and sizes are strings, as in `\"5s\"` and `\"64MiB\"`";

/// What a literal is for: its argument, and the field that it must fit.
pub(super) struct Place<'a> {
    /// The option of `#[config]`.
    pub(super) option: &'static str,
    /// What can be written there.
    pub(super) forms: &'static str,
    pub(super) kind: &'a Kind,
    /// The field's type as written.
    pub(super) ty: &'a str,
}

impl Place<'_> {
    /// Reads a literal that fits the field.
    pub(super) fn read(&self, expr: &Expr) -> syn::Result<Toml> {
        let value = self.literal(expr)?;
        self.fit(expr, value)
    }

    fn literal(&self, expr: &Expr) -> syn::Result<Toml> {
        match bare(expr) {
            Expr::Lit(ExprLit { lit, .. }) => self.lit(lit, false),
            Expr::Unary(negative) if matches!(negative.op, UnOp::Neg(_)) => {
                match bare(&negative.expr) {
                    Expr::Lit(ExprLit {
                        lit: lit @ (Lit::Int(_) | Lit::Float(_)),
                        ..
                    }) => self.lit(lit, true),
                    _ => Err(self.no_literal(expr)),
                }
            }
            Expr::Array(list) => {
                let of = match self.kind {
                    Kind::List(of) => of,
                    _ => &Kind::Other,
                };
                let inner = Place { kind: of, ..*self };
                let mut problems = Problems::default();
                let values = list.elems.iter();
                let values = values.filter_map(|element| problems.keep(inner.read(element)));
                let values = values.collect();
                problems.result().map(|()| Toml::List(values))
            }
            _ => Err(self.no_literal(expr)),
        }
    }

    fn lit(&self, lit: &Lit, negative: bool) -> syn::Result<Toml> {
        let suffix = match lit {
            Lit::Bool(_) => "",
            other => other.suffix(),
        };
        if !suffix.is_empty() {
            let written = source(lit);
            return Err(problem(
                lit,
                format_args!("`{written}` has a type of its own"),
                format_args!(
                    "write `{}`: the field has the type",
                    written.trim_end_matches(suffix)
                ),
            ));
        }
        match lit {
            Lit::Int(number) => integer(number, negative).map(Toml::Integer),
            Lit::Float(number) => {
                let number: f64 = number.base10_parse()?;
                Ok(Toml::Float(if negative { -number } else { number }))
            }
            Lit::Bool(value) => Ok(Toml::Bool(value.value)),
            Lit::Str(text) => Ok(Toml::Text(text.value())),
            other => Err(self.no_literal(other)),
        }
    }

    fn no_literal(&self, tokens: impl ToTokens) -> syn::Error {
        problem(
            tokens,
            format_args!(
                "`{}` takes literals: they go into the template as they are",
                self.option
            ),
            self.forms,
        )
    }

    /// Checks a value against the field, and makes it the kind of value that the field has.
    fn fit(&self, expr: &Expr, value: Toml) -> syn::Result<Toml> {
        match (self.kind, value) {
            (Kind::Integer { low, high, zero }, Toml::Integer(value)) => {
                let fits = (*low..=*high).contains(&value) && (*zero || value != 0);
                let fits = fits.then_some(Toml::Integer(value));
                fits.ok_or_else(|| self.misfit(expr, "does not fit into"))
            }
            (Kind::Float, Toml::Integer(value)) => Ok(Toml::Float(value as f64)),
            (Kind::Duration, Toml::Text(text)) if parse_duration(&text).is_err() => {
                Err(self.misfit(expr, "cannot be read as"))
            }
            (Kind::Size, Toml::Text(text)) if size(&text).is_none() => {
                Err(self.misfit(expr, "cannot be read as"))
            }
            (kind, value) if value.may_be(kind) => Ok(value),
            _ => Err(self.misfit(expr, "is no value of")),
        }
    }

    fn misfit(&self, expr: &Expr, relation: &str) -> syn::Error {
        let (written, ty) = (source(expr), self.ty);
        let wrong = format!("`{written}` {relation} the field's type `{ty}`");
        problem(expr, wrong, self.kind.wanted())
    }
}

fn integer(number: &LitInt, negative: bool) -> syn::Result<i64> {
    let sign = if negative { "-" } else { "" };
    let digits = format!("{sign}{}", number.base10_digits());
    digits.parse().map_err(|_| {
        problem(
            number,
            format_args!("`{digits}` is too large: numbers of TOML have 64 bits and a sign"),
            format_args!("write a number from {} to {}", i64::MIN, i64::MAX),
        )
    })
}
