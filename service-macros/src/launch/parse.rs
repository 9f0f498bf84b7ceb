//! What was written: the arguments and the function.

use proc_macro2::{Group, TokenStream};
use syn::{
    Attribute, Signature, Visibility,
    parse::{Parse, ParseStream},
};

use super::keys::SETTINGS;
use crate::{
    args::{self, Key, Written},
    body::body,
    problem::Problems,
};

/// The function under `#[launch]`.
pub(super) struct Function {
    pub(super) attrs: Vec<Attribute>,
    pub(super) vis: Visibility,
    pub(super) sig: Signature,
    pub(super) body: Group,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Self {
            attrs: input.call(Attribute::parse_outer)?,
            vis: input.parse()?,
            sig: input.parse()?,
            body: body(input)?,
        })
    }
}

/// The arguments of `#[launch]` as they were written.
pub(super) fn arguments(tokens: TokenStream, problems: &mut Problems) -> Vec<Written> {
    args::parse(tokens, &keys(), problems)
}

/// The arguments that `#[launch]` knows.
pub(super) fn keys() -> Vec<Key> {
    let settings = SETTINGS.iter().map(|setting| setting.key);
    settings.chain([Key::CRATE]).collect()
}
