//! Locks that one process at a time may hold, given back by the kernel when it dies.
//!
//! A lock is a byte of a memory file under a record lock. Such a lock belongs to the process that
//! took it, so an inherited descriptor is enough, and a killed holder frees it at once.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use nix::sys::memfd::{MFdFlags, memfd_create};

/// The locks that a supervisor and its workers share.
#[derive(Debug, Clone)]
pub(crate) struct ProcessLocks(Arc<OwnedFd>);

/// A lock that is held; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct ProcessLock {
    locks: ProcessLocks,
    number: u32,
}

impl ProcessLocks {
    /// Makes a new set of locks; the processes forked after this share it.
    pub(crate) fn new() -> io::Result<Self> {
        let fd = memfd_create(c"service-runtime-locks", MFdFlags::MFD_CLOEXEC)?;
        Ok(Self(Arc::new(fd)))
    }

    /// Takes lock `number` if no other process has it.
    ///
    /// Within one process every call succeeds: keep the callers of one number apart yourself.
    pub(crate) fn take(&self, number: u32) -> Option<ProcessLock> {
        self.lock(number, libc::F_WRLCK).ok()?;
        Some(ProcessLock {
            locks: self.clone(),
            number,
        })
    }

    fn lock(&self, number: u32, kind: libc::c_int) -> nix::Result<libc::c_int> {
        let lock = libc::flock {
            l_type: kind as libc::c_short,
            l_whence: libc::SEEK_SET as libc::c_short,
            l_start: libc::off_t::from(number),
            l_len: 1,
            l_pid: 0,
        };
        fcntl(self.0.as_fd(), FcntlArg::F_SETLK(&lock))
    }
}

impl Drop for ProcessLock {
    fn drop(&mut self) {
        // A failure would leave the lock with this process, which still runs it: nothing is lost.
        let _ = self.locks.lock(self.number, libc::F_UNLCK);
    }
}
