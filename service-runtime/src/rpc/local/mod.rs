//! Calls over unix sockets of one machine: no server between, no network, no other user.
//!
//! Programs meet in one directory: `<directory>/<exchange>/<topic>` holds a socket for each server of the
//! topic, which its supervisor holds as it holds any listener, and one for each worker, for what is
//! said to all. A call has a connection of its own on the server's socket, so the kernel gives it to a
//! worker that has room, and it waits in the accept queue while none has.
//!
//! Linux tells what became of a request when its server is gone: a connection that was never
//! accepted, or whose bytes nobody read, is *reset*; one whose request was read *ends*. So a caller knows
//! whether its call may have begun, without a message that says so.

mod connect;
mod directory;

pub(super) use self::connect::{Delivery, deliver, deliver_to_all};
pub(super) use self::directory::{Directory, WorkerSocket, remove};
