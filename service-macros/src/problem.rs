//! Compile errors: what is wrong on the first line, what to write instead on the second.

use std::fmt::Display;

use proc_macro2::TokenStream;
use quote::ToTokens;

/// Blames `tokens`, says what is wrong with them and what to write instead.
pub(crate) fn problem(
    tokens: impl ToTokens,
    wrong: impl Display,
    help: impl Display,
) -> syn::Error {
    syn::Error::new_spanned(tokens, format_args!("{wrong}\nhelp: {help}"))
}

/// Refuses a lifetime parameter of a service.
pub(crate) fn no_lifetime(param: &syn::LifetimeParam) -> syn::Error {
    problem(
        param,
        "a service outlives what it could borrow: it has no lifetime parameters",
        "own the value, or share it with `Arc`, and remove the parameter",
    )
}

/// All that is wrong with one annotated item, so that it is reported in one run.
#[derive(Default)]
pub(crate) struct Problems(Option<syn::Error>);

impl Problems {
    /// Adds one.
    pub(crate) fn push(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(all) => all.combine(error),
            None => self.0 = Some(error),
        }
    }

    /// Takes the value of `result`, or its error.
    pub(crate) fn keep<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.iter().flatten().count()
    }

    /// The errors, if there are any.
    pub(crate) fn result(self) -> syn::Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}

impl ToTokens for Problems {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        if let Some(all) = &self.0 {
            tokens.extend(all.to_compile_error());
        }
    }
}
