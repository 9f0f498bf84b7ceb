//! Who the program is and what it may do.

#[cfg(not(workers))]
mod elsewhere;
#[cfg(workers)]
mod linux;
pub(crate) mod pid_file;
mod wanted;

#[cfg(not(workers))]
pub(crate) use self::elsewhere::{Rights, Unknown};
#[cfg(workers)]
pub(crate) use self::linux::{Rights, Unknown};
pub(crate) use self::wanted::{Limit, Privileges};
