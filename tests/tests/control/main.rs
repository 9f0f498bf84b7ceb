//! The control socket and the command that asks it.

mod answers;
mod command;
mod events;
mod orders;
mod socket;
