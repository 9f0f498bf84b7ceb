//! Who the program is and what it may do.

#[cfg(workers)]
mod linux;
#[cfg(not(workers))]
mod other_systems;
pub(crate) mod pid_file;
mod privilege_settings;
mod resource_limit;

#[cfg(workers)]
pub(crate) use self::linux::{PrivilegeError, Privileges};
#[cfg(not(workers))]
pub(crate) use self::other_systems::{PrivilegeError, Privileges};
pub(crate) use self::privilege_settings::PrivilegeSettings;
pub use self::resource_limit::ResourceLimit;
