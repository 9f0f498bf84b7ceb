//! The check of a configuration, in a child: it runs the author's code.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::sys::signal::Signal;

use crate::exit::Exit;
use crate::os::process::child::{Child, Ended};
use crate::os::process::fork::{Forked, fork};
use crate::os::process::{exit, mask};
use crate::privileges::Privileges;
use crate::service::RestartMethod;
use crate::settings::configuration::{
    Configuration, Loaded, answer_check, answer_of_check, memory_for_answer,
};

/// A check under way.
pub(super) struct Check {
    /// The generation that the configuration would become.
    generation: u64,
    child: Child,
    answer: OwnedFd,
}

impl Check {
    /// Forks the child that reads and checks the files of the moment.
    ///
    /// `current` is what a mutation would be mixed with.
    pub(super) fn begin(
        generation: u64,
        configuration: &Configuration,
        current: Option<&Loaded>,
        privileges: &Privileges,
    ) -> Result<Self, String> {
        let answer = memory_for_answer().map_err(|error| error.to_string())?;
        let supervisor = nix::unistd::getpid();
        match fork().map_err(|error| crate::error_chain::chain(&error))? {
            Forked::Child => {
                // It holds copies of the supervisor's ends of all channels: should the supervisor be
                // killed, they must not stay open here, or no worker would notice.
                if privileges
                    .apply_in_worker(Signal::SIGKILL, supervisor)
                    .is_err()
                {
                    exit::now(Exit::Failed.code().into());
                }
                exit::now(check(configuration, current, &answer))
            }
            Forked::Parent(pid) => Ok(Self {
                generation,
                child: Child::forked(pid)
                    .map_err(|error| format!("cannot watch the check: {error}"))?,
                answer,
            }),
        }
    }

    /// Returns the generation that the configuration would become.
    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.child.as_fd()
    }

    pub(super) fn pid(&self) -> nix::unistd::Pid {
        self.child.pid()
    }

    /// Gives the check up.
    pub(super) fn kill(&self) {
        let _ = self.child.signal(Signal::SIGKILL);
    }

    /// Returns whether the child has ended, and how.
    pub(super) fn ended(&self) -> Option<Ended> {
        self.child.reap().ok().flatten()
    }

    /// Reads what the child found. Only the texts are taken from it, and laid over each other here: the
    /// author's types were read in the child, and are again in each worker. `like` is an earlier
    /// configuration.
    pub(super) fn result(
        self,
        ended: Ended,
        configuration: &Configuration,
        like: &Loaded,
    ) -> Result<Loaded, String> {
        let bytes = answer_of_check(self.answer, ended)?;
        configuration
            .rebuild_checked(&bytes, like)
            .map_err(|error| error.to_string())
    }
}

/// In the child: writes the texts that were read, or the error.
fn check(configuration: &Configuration, current: Option<&Loaded>, answer: &OwnedFd) -> i32 {
    // A hang is the supervisor's to end; a Ctrl-C at the terminal may end this at once.
    let _ = mask::unblock_all();
    let checked = configuration
        .load_anew(current)
        .and_then(|loaded| match current {
            Some(current) if loaded.settings.restart_method == RestartMethod::Mutate => {
                let mut mixed = current.clone();
                mixed.mutate(&loaded);
                mixed.check()?;
                loaded.checked()
            }
            // Every table was read into its type while it was loaded.
            _ => Ok(loaded),
        });
    let found = checked.map(|loaded| loaded.to_bytes());
    answer_check(answer, found.map_err(|error| error.to_string()))
}
