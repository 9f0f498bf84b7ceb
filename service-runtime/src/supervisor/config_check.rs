//! The check of a configuration, in a child: it runs the author's code.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::sys::signal::Signal;

use crate::exit::Exit;
use crate::os::process::child::{Child, Ended};
use crate::os::process::fork::{Forked, fork};
use crate::os::process::{exit, mask, memory};
use crate::privileges::Privileges;
use crate::service::RestartMethod;
use crate::settings::configuration::{Configuration, Loaded};

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
        let answer = memory::file(c"service-runtime-check", b"").map_err(|e| e.to_string())?;
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
        let bytes = memory::read(self.answer).map_err(|error| error.to_string())?;
        match ended {
            Ended::Exited(0) => configuration
                .rebuild_checked(&bytes, like)
                .map_err(|error| error.to_string()),
            Ended::Exited(code) if code == i32::from(Exit::Config.code()) => {
                Err(String::from_utf8_lossy(&bytes).into_owned())
            }
            other => Err(format!("the check of the configuration ended with {other}")),
        }
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
    let (bytes, exit) = match checked {
        Ok(loaded) => (loaded.to_bytes(), Exit::Done),
        Err(error) => (error.to_string().into_bytes(), Exit::Config),
    };
    match memory::append(answer.as_fd(), &bytes) {
        Ok(()) => exit.code().into(),
        Err(_) => Exit::Failed.code().into(),
    }
}
