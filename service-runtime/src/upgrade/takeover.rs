//! A process that may be there to replace another of its program, and be replaced itself.
//!
//! Only a supervisor starts the program anew; whatever launcher the new process runs, it takes over.

#[cfg(workers)]
pub(crate) use linux::{Takeover, VARIABLES};
#[cfg(not(workers))]
pub(crate) use other::{Takeover, VARIABLES};

use crate::listen::Listeners;
use crate::notify::Notifier;
use crate::privileges::pid_file::PidFile;

/// What belongs to whichever process speaks for the program.
pub(crate) struct ProgramState<'a> {
    pub(crate) notifier: &'a Notifier,
    pub(crate) listeners: &'a Listeners,
    /// The sockets that the service manager is to forget.
    pub(crate) forgotten: &'a [String],
    pub(crate) pid_file: Option<&'a PidFile>,
}

#[cfg(workers)]
mod linux {
    use crate::listen::Listeners;
    use crate::os::process::program::Program;
    use std::os::fd::{AsFd, BorrowedFd};

    use super::ProgramState;
    use crate::privileges::pid_file::PidFile;
    use crate::upgrade::{Granted, InheritedState, Predecessor, VARIABLE, kept_sockets};

    /// The variables that are for this process alone.
    pub(crate) const VARIABLES: [&str; 1] = [VARIABLE];

    /// What this process may replace, and be replaced by.
    #[derive(Debug)]
    pub(crate) struct Takeover {
        /// This program's file.
        pub(crate) program: Program,
        /// The process that this one is to replace, until it has.
        pub(crate) predecessor: Option<Predecessor>,
    }

    impl Takeover {
        /// Finds out how this process was started.
        pub(crate) fn of_this_process() -> Self {
            Self {
                program: Program::of_this_process(),
                predecessor: Predecessor::from_env(),
            }
        }

        /// Returns whether this process is to replace another.
        pub(crate) fn has_predecessor(&self) -> bool {
            self.predecessor.is_some()
        }

        /// Tells the process to be replaced that nothing comes of it.
        pub(crate) fn failed(&self, why: &str) {
            if let Some(predecessor) = &self.predecessor {
                predecessor.failed(why);
            }
        }

        /// Takes what the process to be replaced listens on.
        pub(crate) fn inherit(&self, listeners: &mut Listeners) -> Result<InheritedState, String> {
            match &self.predecessor {
                Some(predecessor) => predecessor.receive(listeners),
                None => Ok(InheritedState::default()),
            }
        }

        /// Says that this process is ready to take over.
        pub(crate) fn announce_ready(&self, pid_file: Option<&PidFile>) {
            if let Some(predecessor) = &self.predecessor {
                predecessor.ready(pid_file.is_some_and(PidFile::is_inherited));
            }
        }

        /// Returns the descriptor that tells of an answer.
        pub(crate) fn fd(&self) -> Option<BorrowedFd<'_>> {
            self.predecessor.as_ref().map(AsFd::as_fd)
        }

        /// Takes over if the old process has left the program to this one; returns what it left to do.
        pub(crate) fn complete_if_granted(&mut self, state: &ProgramState<'_>) -> Option<Granted> {
            let granted = self.predecessor.as_ref()?.granted()?;
            self.complete(state);
            Some(granted)
        }

        /// Says that this process is ready, waits until the old one leaves the program to it, and takes
        /// over; returns whether there was an old one.
        pub(crate) fn wait_and_complete(&mut self, state: &ProgramState<'_>) -> bool {
            let Some(predecessor) = &self.predecessor else {
                return false;
            };
            predecessor.ready(state.pid_file.is_some_and(PidFile::is_inherited));
            // A reload that it had no time for is done: what was read here is newer.
            predecessor.wait_for_grant();
            self.complete(state);
            true
        }

        /// Speaks for the program from now on.
        fn complete(&mut self, state: &ProgramState<'_>) {
            self.predecessor = None;
            tracing::info!("this process has taken over");
            state.notifier.unmute();
            // What was bound and closed meanwhile.
            for held in state.listeners.iter() {
                kept_sockets::store(state.notifier, held);
            }
            for name in state.forgotten {
                state.notifier.forget(name);
            }
            if let Some(file) = state.pid_file
                && let Err(error) = file.rewrite(std::process::id())
            {
                tracing::error!("the pid file is not this process's: {error}");
            }
        }
    }
}

#[cfg(not(workers))]
mod other {
    use super::ProgramState;
    use crate::listen::Listeners;
    use crate::upgrade::InheritedState;

    /// The variables that are for this process alone.
    pub(crate) const VARIABLES: [&str; 0] = [];

    /// Nothing: only a supervisor starts its program anew, and there is none here.
    #[derive(Debug)]
    pub(crate) struct Takeover;

    impl Takeover {
        pub(crate) fn of_this_process() -> Self {
            Self
        }

        pub(crate) fn has_predecessor(&self) -> bool {
            false
        }

        pub(crate) fn failed(&self, _why: &str) {}

        pub(crate) fn inherit(&self, _listeners: &mut Listeners) -> Result<InheritedState, String> {
            Ok(InheritedState::default())
        }

        pub(crate) fn wait_and_complete(&mut self, _state: &ProgramState<'_>) -> bool {
            false
        }
    }
}
