//! The control socket and the command that asks it.

mod answers;
mod command;
mod orders;
mod socket;
