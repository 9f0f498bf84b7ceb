//! A child process held by its pidfd: signalled and reaped without a race on its pid.
#![expect(
    unsafe_code,
    reason = "nix wraps neither pidfd_open nor pidfd_send_signal"
)]

use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::Pid;

/// A child of this process that has not been reaped.
#[derive(Debug)]
pub(crate) struct Child {
    pid: Pid,
    pidfd: OwnedFd,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It exited by itself with this code.
    Exited(i32),
    /// A signal ended it.
    Killed {
        /// The signal.
        signal: Signal,
        /// Whether it left a core.
        core: bool,
    },
}

impl Child {
    /// Takes hold of a child that this process has just forked.
    ///
    /// # Errors
    ///
    /// Returns the kernel's error, `EMFILE` and `ENFILE` above all. The child is ended then: nobody could
    /// watch it.
    pub(crate) fn forked(pid: Pid) -> nix::Result<Self> {
        Self::open(pid).inspect_err(|_| {
            // It is our child and not reaped, so the pid is still its own.
            let _ = kill(pid, Signal::SIGKILL);
            let _ = waitpid(pid, None);
        })
    }

    /// Takes hold of a child by its pid, which nobody may have reaped.
    fn open(pid: Pid) -> nix::Result<Self> {
        // SAFETY: pidfd_open reads two integers and no memory.
        let raw = unsafe { libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0) };
        let raw = Errno::result(raw)?;
        let raw = i32::try_from(raw).map_err(|_| Errno::EBADF)?;
        // SAFETY: the call above has just returned this descriptor, and nothing else owns it.
        let pidfd = unsafe { OwnedFd::from_raw_fd(raw) };
        Ok(Self { pid, pidfd })
    }

    /// Returns the process id.
    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    /// Sends a signal; a child that has ended already is no error.
    pub(crate) fn signal(&self, signal: Signal) -> nix::Result<()> {
        // SAFETY: the null pointer asks the kernel to fill in the signal's details itself; the
        // descriptor is open for as long as `self` lives.
        let done = unsafe {
            libc::syscall(
                libc::SYS_pidfd_send_signal,
                self.pidfd.as_raw_fd(),
                signal as libc::c_int,
                std::ptr::null::<libc::siginfo_t>(),
                0,
            )
        };
        match Errno::result(done) {
            Ok(_) | Err(Errno::ESRCH) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Reaps the child if it has ended.
    pub(crate) fn reap(&self) -> nix::Result<Option<Ended>> {
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG;
        Ok(Ended::of(waitid(Id::PIDFd(self.pidfd.as_fd()), flags)?))
    }
}

impl AsFd for Child {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

impl Ended {
    /// Returns what a wait reported, or `None` if the process has not ended.
    pub(crate) fn of(status: WaitStatus) -> Option<Self> {
        match status {
            WaitStatus::Exited(_, code) => Some(Self::Exited(code)),
            WaitStatus::Signaled(_, signal, core) => Some(Self::Killed { signal, core }),
            _ => None,
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exit code {code}"),
            Self::Killed {
                signal,
                core: false,
            } => write!(f, "killed by {signal}"),
            Self::Killed { signal, core: true } => write!(f, "killed by {signal}, core dumped"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

    use super::*;

    #[expect(
        clippy::zombie_processes,
        reason = "each test reaps what it spawns, by pidfd"
    )]
    fn spawn(script: &str) -> Child {
        let child = Command::new("sh").args(["-c", script]).spawn().unwrap();
        Child::open(Pid::from_raw(i32::try_from(child.id()).unwrap())).unwrap()
    }

    fn wait(child: &Child) -> Ended {
        poll(
            &mut [PollFd::new(child.as_fd(), PollFlags::POLLIN)],
            PollTimeout::NONE,
        )
        .unwrap();
        child.reap().unwrap().unwrap()
    }

    #[test]
    fn an_exit_code_is_told() {
        assert_eq!(wait(&spawn("exit 7")), Ended::Exited(7));
    }

    #[test]
    fn a_signal_that_ended_the_child_is_told() {
        let child = spawn("kill -STOP $$");
        child.signal(Signal::SIGKILL).unwrap();
        assert_eq!(
            wait(&child),
            Ended::Killed {
                signal: Signal::SIGKILL,
                core: false
            }
        );
    }

    #[test]
    fn a_signal_to_a_reaped_child_is_no_error() {
        let child = spawn("exit 0");
        wait(&child);
        assert_eq!(child.signal(Signal::SIGTERM), Ok(()));
    }
}
