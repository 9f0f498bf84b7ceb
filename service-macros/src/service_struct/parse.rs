//! What was written: the arguments and the struct.

use proc_macro2::TokenStream;
use syn::ItemStruct;

use crate::{
    args::{self, Key, Written},
    problem::Problems,
};

/// The arguments of `#[service]` on a struct.
pub(super) const KEYS: &[Key] = &[
    Key::new("name", r#"name = "greeter""#),
    Key::new("after", r#"after = ["db"]"#),
    Key::of_type("config", "config = GreeterConfig"),
    Key::new("on_error", r#"on_error = "restart""#),
    Key::new("register", "register = false"),
    Key::CRATE,
];

/// A struct and its arguments.
pub(super) struct Parsed {
    pub(super) args: Vec<Written>,
    pub(super) item: ItemStruct,
}

impl Parsed {
    pub(super) fn new(args: TokenStream, item: ItemStruct, problems: &mut Problems) -> Self {
        let args = args::parse(args, KEYS, problems);
        Self { args, item }
    }
}
