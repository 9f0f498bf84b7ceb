//! A process that may be there to replace another of its program, and be replaced itself.
//!
//! Only a supervisor starts the program anew; whatever launcher the new process runs, it takes over.

#[cfg(target_os = "linux")]
pub(crate) use linux::{Takeover, VARIABLES};
#[cfg(not(target_os = "linux"))]
pub(crate) use other::{Takeover, VARIABLES};

#[cfg(target_os = "linux")]
mod linux {
    use crate::listen::Listeners;
    use crate::os::process::program::Program;
    use crate::upgrade::{InheritedState, Predecessor, VARIABLE};

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

        /// Says that this process is ready, and waits for the field to be left to it.
        pub(crate) fn take_over(&mut self) -> bool {
            let Some(predecessor) = self.predecessor.take() else {
                return false;
            };
            predecessor.ready();
            // A reload that it had no time for: what was read here is newer.
            predecessor.wait_for_grant();
            true
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    use crate::listen::Listeners;

    /// The variables that are for this process alone.
    pub(crate) const VARIABLES: [&str; 0] = [];

    /// What another process left: nothing.
    #[derive(Debug, Default)]
    pub(crate) struct InheritedState {
        pub(crate) pid_file: Option<std::os::fd::OwnedFd>,
    }

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

        pub(crate) fn take_over(&mut self) -> bool {
            false
        }
    }
}
