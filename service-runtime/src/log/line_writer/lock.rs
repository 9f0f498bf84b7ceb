//! A lock between the processes of one program.
//!
//! It is a record lock on a file that has no name and that forked children inherit. The kernel
//! takes it from a process that dies. Between the threads of one process it does nothing.

use std::os::fd::OwnedFd;
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

/// How often the lock is asked for before the process sleeps between attempts.
const EAGER_ATTEMPTS: u32 = 64;
const FIRST_SLEEP: Duration = Duration::from_micros(50);
const LONGEST_SLEEP: Duration = Duration::from_millis(2);

/// A lock that this process shares with those forked from it.
#[derive(Debug)]
pub(super) struct ProcessLock {
    file: OwnedFd,
}

/// Holds the lock until it is dropped.
#[derive(Debug)]
pub(super) struct Locked<'a>(&'a ProcessLock);

impl ProcessLock {
    /// Makes a lock, where the system can.
    #[cfg(target_os = "linux")]
    pub(super) fn new() -> Option<Self> {
        use nix::sys::memfd::{MFdFlags, memfd_create};
        let file = memfd_create(c"log-lock", MFdFlags::MFD_CLOEXEC).ok()?;
        Some(Self { file })
    }

    /// Makes no lock: there are no forked workers here.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn new() -> Option<Self> {
        None
    }

    /// Uses a file that another process uses as well.
    #[cfg(test)]
    pub(super) fn on(file: OwnedFd) -> Self {
        Self { file }
    }

    /// Returns the file, to be passed to another process.
    #[cfg(test)]
    pub(super) fn file(&self) -> &OwnedFd {
        &self.file
    }

    /// Takes the lock, or returns nothing if another process keeps it for longer than `patience`.
    ///
    /// It asks again and again instead of waiting in the kernel, for a wait there has no bound.
    pub(super) fn take(&self, patience: Duration) -> Option<Locked<'_>> {
        let mut deadline = None;
        let mut sleep = FIRST_SLEEP;
        for attempt in 0_u32.. {
            match self.set(libc::F_WRLCK) {
                Ok(()) => return Some(Locked(self)),
                Err(Errno::EACCES | Errno::EAGAIN | Errno::EINTR) => {}
                Err(_) => return None,
            }
            let now = Instant::now();
            if now >= *deadline.get_or_insert(now + patience) {
                return None;
            }
            if attempt < EAGER_ATTEMPTS {
                thread::yield_now();
            } else {
                thread::sleep(sleep);
                sleep = LONGEST_SLEEP.min(sleep * 2);
            }
        }
        None
    }

    fn set(&self, kind: libc::c_int) -> Result<(), Errno> {
        let range = libc::flock {
            l_type: kind
                .try_into()
                .expect("the kinds of lock are small numbers"),
            l_whence: libc::SEEK_SET
                .try_into()
                .expect("the origins are small numbers"),
            l_start: 0,
            l_len: 1,
            l_pid: 0,
        };
        fcntl(&self.file, FcntlArg::F_SETLK(&range)).map(drop)
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // Unlocking what is locked cannot fail, and there is nobody to tell.
        let _ = self.0.set(libc::F_UNLCK);
    }
}
