//! What the black-box tests of this workspace share.

#[cfg(doctest)]
mod docs;
pub mod harness;
