//! What the black-box tests of this workspace share.

pub mod harness;
