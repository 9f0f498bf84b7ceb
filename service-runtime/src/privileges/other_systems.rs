//! Privileges where this is not Linux: those that the program was started with.

use std::path::{Path, PathBuf};

use super::PrivilegeSettings;

/// What the settings come to on this machine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Privileges;

/// A setting that this machine cannot follow: its name, and why not.
#[derive(Debug)]
pub(crate) struct PrivilegeError(pub(crate) &'static str, pub(crate) String);

impl Privileges {
    /// Refuses what only Linux offers.
    pub(crate) fn look_up(settings: &PrivilegeSettings) -> Result<Self, PrivilegeError> {
        if *settings != PrivilegeSettings::default() {
            let message = "user, group, limits, umask and chdir need Linux";
            return Err(PrivilegeError("user", message.to_owned()));
        }
        Ok(Self)
    }

    /// Has nothing to take.
    pub(crate) fn take(&self) -> Result<(), String> {
        Ok(())
    }

    /// Has nowhere to go.
    pub(crate) fn change_directory(&self) -> Result<(), String> {
        Ok(())
    }

    /// Has none.
    pub(crate) fn directory(&self) -> Option<&PathBuf> {
        None
    }

    /// Is the user that it always was.
    pub(crate) fn may_write_in(&self, _: &Path) -> bool {
        true
    }

    /// Is the user that it always was.
    pub(crate) fn is_kept_by_sticky(&self, _: &Path, _: &Path) -> bool {
        false
    }

    /// Becomes nobody else.
    pub(crate) fn user(&self) -> Option<u32> {
        None
    }

    /// Gives nothing up.
    pub(crate) fn is_dropped(&self) -> bool {
        false
    }
}
