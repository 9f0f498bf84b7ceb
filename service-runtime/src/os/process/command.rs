//! A program that a process with one thread starts beside itself, and does not wait for.

use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, setsid};

use super::child::{Child, Ended};
use super::fork::{ForkError, Forked, fork};
use super::{capabilities, exit, mask};

/// The code of a child that could not execute its program, as a shell has it.
pub(crate) const NOT_EXECUTED: i32 = 127;

/// A program that runs in a session of its own.
#[derive(Debug)]
pub(crate) struct Detached(Child);

/// Why it does not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// No process could be made.
    #[error(transparent)]
    Fork(#[from] ForkError),
    /// It could not be watched, and was killed.
    #[error("cannot watch the command")]
    Watch(#[source] Errno),
}

impl Detached {
    /// Starts a program with its arguments and further variables.
    ///
    /// The calling process is not held up, not even by a slow file system: that the program cannot be
    /// executed is told by [`NOT_EXECUTED`]. It gets a clean signal mask, nothing on its standard
    /// input, and no capability if `give_up` says so.
    ///
    /// # Errors
    ///
    /// Returns why there is no process.
    pub(crate) fn start(
        command: &[String],
        variables: Vec<(&'static str, OsString)>,
        give_up: bool,
    ) -> Result<Self, CommandError> {
        match fork()? {
            Forked::Child => exit::now(execute(command, variables, give_up)),
            Forked::Parent(pid) => Child::forked(pid).map(Self).map_err(CommandError::Watch),
        }
    }

    /// Returns its process id.
    pub(crate) fn pid(&self) -> Pid {
        self.0.pid()
    }

    /// Kills it and all of its process group.
    pub(crate) fn kill(&self) {
        // It is not reaped, so the group is still its own; before it has made the group it is alone.
        if killpg(self.pid(), Signal::SIGKILL).is_err() {
            let _ = self.0.signal(Signal::SIGKILL);
        }
    }

    /// Reaps it if it has ended.
    pub(crate) fn reap(&self) -> Option<Ended> {
        self.0.reap().ok().flatten()
    }
}

impl AsFd for Detached {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// In the child: becomes the program, or returns the code of one that could not.
fn execute(command: &[String], variables: Vec<(&'static str, OsString)>, give_up: bool) -> i32 {
    let Some((program, arguments)) = command.split_first() else {
        return NOT_EXECUTED;
    };
    let clean = setsid().is_ok() && mask::unblock_all().is_ok();
    if !clean || give_up && capabilities::give_up_capabilities().is_err() {
        return NOT_EXECUTED;
    }
    // It also lets SIGPIPE be what it was.
    let error = Command::new(program)
        .args(arguments)
        .envs(variables)
        .stdin(Stdio::null())
        .exec();
    tracing::warn!("cannot execute `{program}`: {error}");
    NOT_EXECUTED
}
