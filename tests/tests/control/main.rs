//! The control socket and the command that asks it.

mod command;
mod orders;
mod socket;
