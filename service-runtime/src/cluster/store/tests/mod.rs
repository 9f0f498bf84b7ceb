//! The store over both engines, and what each does with trouble of its own kind.

mod engines;
mod server;
mod statements;
mod trouble;

pub(in crate::cluster) use self::engines::Engines;
