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
use nix::sys::stat::fstat;
use nix::unistd::ftruncate;

/// How often the lock is asked for before the process sleeps between attempts.
const EAGER_ATTEMPTS: u32 = 64;
const FIRST_SLEEP: Duration = Duration::from_micros(50);
const LONGEST_SLEEP: Duration = Duration::from_millis(2);
/// How many times its patience a process waits at most, however often the lock changes hands.
const MOST: u32 = 20;

/// A lock that this process shares with those forked from it.
#[derive(Debug)]
pub(super) struct LineLock {
    file: OwnedFd,
}

/// Holds the lock until it is dropped.
#[derive(Debug)]
pub(super) struct Locked<'a>(&'a LineLock);

impl LineLock {
    /// Makes a lock, where the system can.
    #[cfg(workers)]
    pub(super) fn new() -> Option<Self> {
        use nix::sys::memfd::{MFdFlags, memfd_create};
        let file = memfd_create(c"log-lock", MFdFlags::MFD_CLOEXEC).ok()?;
        Some(Self { file })
    }

    /// Makes no lock: there are no forked workers here.
    #[cfg(not(workers))]
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
    /// It asks again and again instead of waiting in the kernel, for a wait there has no bound. As
    /// long as the lock goes from hand to hand it is worth waiting for, though not for ever.
    pub(super) fn take(&self, patience: Duration) -> Option<Locked<'_>> {
        let mut last = None;
        let mut deadlines = None;
        let mut sleep = FIRST_SLEEP;
        for attempt in 0_u32.. {
            match self.set(Kind::Write) {
                Ok(()) => return Some(Locked(self)),
                Err(Errno::EACCES | Errno::EAGAIN | Errno::EINTR) => {}
                Err(_) => return None,
            }
            let now = Instant::now();
            let (deadline, end) = deadlines.get_or_insert((now + patience, now + MOST * patience));
            let holder = self.holder();
            if holder.is_none() || holder != last {
                last = holder;
                *deadline = now + patience;
            }
            if now >= *deadline.min(end) {
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

    /// Returns the process that has the lock.
    fn holder(&self) -> Option<libc::pid_t> {
        let mut range = range(Kind::Write);
        let free = range_type(Kind::Unlocked);
        fcntl(&self.file, FcntlArg::F_GETLK(&mut range)).ok()?;
        (range.l_type != free).then_some(range.l_pid)
    }

    fn set(&self, kind: Kind) -> Result<(), Errno> {
        fcntl(&self.file, FcntlArg::F_SETLK(&range(kind))).map(drop)
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Write,
    Unlocked,
}

/// The number of a kind, whose type differs from system to system.
#[allow(
    clippy::unnecessary_cast,
    reason = "the constants are of the field's type on some systems only"
)]
fn range_type(kind: Kind) -> libc::c_short {
    match kind {
        Kind::Write => libc::F_WRLCK as libc::c_short,
        Kind::Unlocked => libc::F_UNLCK as libc::c_short,
    }
}

fn range(kind: Kind) -> libc::flock {
    libc::flock {
        l_type: range_type(kind),
        l_whence: 0, // SEEK_SET everywhere.
        l_start: 0,
        l_len: 1,
        l_pid: 0,
        #[cfg(target_os = "freebsd")]
        l_sysid: 0,
    }
}

impl Locked<'_> {
    /// Returns whether the last line, of whichever process, ended in the middle.
    ///
    /// The file's length tells: the lock has no other use for it.
    pub(super) fn is_cut(&self) -> bool {
        fstat(&self.0.file).is_ok_and(|stat| stat.st_size > 0)
    }

    /// Notes how this process leaves the last line.
    pub(super) fn set_cut(&self, cut: bool) {
        // A file in memory grows by a byte unless there is no memory; then a line is torn.
        let _ = ftruncate(&self.0.file, cut.into());
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // Unlocking what is locked cannot fail, and there is nobody to tell.
        let _ = self.0.set(Kind::Unlocked);
    }
}
