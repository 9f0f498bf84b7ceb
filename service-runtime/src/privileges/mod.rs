//! Who the program is and what it may do.

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;
pub(crate) mod pid_file;
mod wanted;

#[cfg(not(target_os = "linux"))]
pub(crate) use self::elsewhere::{Rights, Unknown};
#[cfg(target_os = "linux")]
pub(crate) use self::linux::{Rights, Unknown};
pub(crate) use self::wanted::{Limit, Privileges};
