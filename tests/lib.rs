//! What the black-box tests of this workspace share.

pub mod compute;
#[cfg(doctest)]
mod docs;
pub mod harness;
