//! Rights where this is not Linux: those that the program was started with.

use std::path::PathBuf;

use super::Privileges;

/// What the settings come to on this machine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rights;

/// A setting that this machine cannot follow: its name, and why not.
#[derive(Debug)]
pub(crate) struct Unknown(pub(crate) &'static str, pub(crate) String);

impl Rights {
    /// Refuses what only Linux offers.
    pub(crate) fn look_up(settings: &Privileges) -> Result<Self, Unknown> {
        if *settings != Privileges::default() {
            let message = "user, group, limits, umask and chdir need Linux";
            return Err(Unknown("user", message.to_owned()));
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

    /// Gives nothing up.
    pub(crate) fn is_dropped(&self) -> bool {
        false
    }
}
