//! Arguments of attributes, the same for all of them.
//!
//! [`parse`] keeps what was written, [`Args::new`] refuses unknown and repeated names, and a
//! [`Given`] reads one value as the kind that its attribute wants.

mod duration;
mod given;
mod known;
mod name;
mod near;
mod variant;
mod written;

pub(crate) use self::{
    duration::{duration_tokens, parse_duration},
    given::{Given, bare},
    known::Args,
    name::{check_name, given_name},
    near::near_miss,
    variant::Variant,
    written::{Value, Written, parse},
};

/// One argument that an attribute knows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key {
    /// Its name.
    pub(crate) name: &'static str,
    /// How it is written, for help texts.
    pub(crate) example: &'static str,
    /// Whether its value is a type, which no expression can stand for.
    pub(crate) is_type: bool,
}

impl Key {
    /// The argument that names the crate of the framework, which every attribute knows.
    pub(crate) const CRATE: Self = Self::new("crate", "crate = facade::runtime");

    /// An argument whose value is an expression.
    pub(crate) const fn new(name: &'static str, example: &'static str) -> Self {
        let is_type = false;
        Self {
            name,
            example,
            is_type,
        }
    }

    /// An argument whose value is a type.
    pub(crate) const fn of_type(name: &'static str, example: &'static str) -> Self {
        let is_type = true;
        Self {
            name,
            example,
            is_type,
        }
    }
}
