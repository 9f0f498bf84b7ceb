//! What a program is told about who it is to be, what it may do, and under what limits.

use std::path::PathBuf;

use super::ResourceLimit;

/// The settings that a program gives rights up by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PrivilegeSettings {
    /// A name or a number.
    pub(crate) user: Option<String>,
    /// A name or a number.
    pub(crate) group: Option<String>,
    pub(crate) no_new: bool,
    pub(crate) umask: Option<u32>,
    pub(crate) chdir: Option<PathBuf>,
    pub(crate) limits: Limits,
}

/// Limits of the system on each process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) nofile: Option<ResourceLimit>,
    pub(crate) nproc: Option<ResourceLimit>,
    pub(crate) core: Option<ResourceLimit>,
    pub(crate) memlock: Option<ResourceLimit>,
    pub(crate) stack: Option<ResourceLimit>,
    pub(crate) address_space: Option<ResourceLimit>,
    pub(crate) fsize: Option<ResourceLimit>,
}
