//! Writes log lines to standard error so that those of several processes never tear.
//!
//! A line that a pipe takes whole is exactly one write. Every wait here has a bound: when the
//! reader stands still, one line waits for it, and those after it are lost until it moves again.

mod lock;

use std::io;
#[cfg(test)]
use std::os::fd::OwnedFd;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::stat::{SFlag, fstat};
use nix::unistd::write;
use tracing_subscriber::fmt::MakeWriter;

use lock::{LineLock, Locked};

/// How long one line waits for the reader, and for another process to finish its line.
const PATIENCE: Duration = Duration::from_secs(1);

/// Writes whole lines; clones, and copies in forked processes, write to the same place in turn.
#[derive(Clone, Debug)]
pub(crate) struct LineWriter(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    output: Output,
    patience: Duration,
    lock: Option<LineLock>,
    state: Mutex<State>,
    lost: AtomicU64,
}

#[derive(Debug)]
enum Output {
    Stderr(io::Stderr),
    #[cfg(test)]
    Other(OwnedFd),
}

/// What the last line learnt, so that the next one need not wait for the same.
#[derive(Debug, Default)]
struct State {
    reader_stands: bool,
    lock_stands: bool,
    /// The last line ended in the middle.
    cut: bool,
}

impl LineWriter {
    /// Writes to standard error; to be made before the first fork, for the lock is inherited.
    pub(crate) fn new() -> Self {
        Self::with(Output::Stderr(io::stderr()), LineLock::new(), PATIENCE)
    }

    /// Writes to another descriptor.
    #[cfg(test)]
    pub(super) fn to(output: impl Into<OwnedFd>) -> Self {
        Self::with(Output::Other(output.into()), LineLock::new(), PATIENCE)
    }

    fn with(output: Output, lock: Option<LineLock>, patience: Duration) -> Self {
        Self(Arc::new(Inner {
            output,
            patience,
            lock,
            state: Mutex::default(),
            lost: AtomicU64::new(0),
        }))
    }

    /// Returns how many lines of this process, and of its forefathers, nobody took.
    pub(crate) fn lost(&self) -> u64 {
        self.0.lost.load(Ordering::Relaxed)
    }

    /// Writes one line, its end included.
    pub(super) fn write_line(&self, line: &[u8]) {
        let inner = &*self.0;
        let mut state = inner.state.lock().unwrap_or_else(PoisonError::into_inner);
        let patience = if state.lock_stands {
            Duration::ZERO
        } else {
            inner.patience
        };
        // A process that keeps the lock for too long is stopped or stuck: better a torn line
        // than none.
        let locked = inner.lock.as_ref().map(|lock| lock.take(patience));
        state.lock_stands = matches!(locked, Some(None));
        let locked = locked.flatten();
        let cut = locked.as_ref().map_or(state.cut, Locked::is_cut);
        let sent = if cut {
            inner.send(&[b"\n", line].concat(), &mut state)
        } else {
            inner.send(line, &mut state)
        };
        state.cut = match sent {
            Ok(()) => false,
            Err(Lost { begun }) => {
                inner.lost.fetch_add(1, Ordering::Relaxed);
                cut || begun
            }
        };
        if let Some(locked) = locked
            && state.cut != cut
        {
            locked.set_cut(state.cut);
        }
    }
}

/// Says that a line was not written, or not to its end.
struct Lost {
    begun: bool,
}

impl Inner {
    fn fd(&self) -> BorrowedFd<'_> {
        match &self.output {
            Output::Stderr(stderr) => stderr.as_fd(),
            #[cfg(test)]
            Output::Other(fd) => fd.as_fd(),
        }
    }

    fn send(&self, line: &[u8], state: &mut State) -> Result<(), Lost> {
        let mut rest = line;
        // A pipe takes so much at once and whole, and when it says that there is room, a write of
        // so much does not wait. A file takes any length at once.
        let at_once = if line.len() <= libc::PIPE_BUF || self.is_file() {
            line.len()
        } else {
            libc::PIPE_BUF
        };
        while !rest.is_empty() {
            let begun = rest.len() < line.len();
            if !self.has_room(state) {
                return Err(Lost { begun });
            }
            match write(self.fd(), &rest[..rest.len().min(at_once)]) {
                Ok(written) if written > 0 => rest = &rest[written..],
                Err(Errno::EINTR) => {}
                Ok(_) | Err(_) => return Err(Lost { begun }),
            }
        }
        Ok(())
    }

    /// Waits until a write would not wait, for a while only.
    fn has_room(&self, state: &mut State) -> bool {
        let patience = if state.reader_stands {
            Duration::ZERO
        } else {
            self.patience
        };
        let deadline = Instant::now() + patience;
        let mut polled = [PollFd::new(self.fd(), PollFlags::POLLOUT)];
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
            match poll(&mut polled, timeout) {
                Err(Errno::EINTR) => {}
                // The write will tell better what is wrong.
                Err(_) => return true,
                Ok(ready) => {
                    state.reader_stands = ready == 0;
                    return ready > 0;
                }
            }
        }
    }

    fn is_file(&self) -> bool {
        fstat(self.fd()).is_ok_and(|stat| {
            SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT == SFlag::S_IFREG
        })
    }
}

impl io::Write for &LineWriter {
    /// Takes one whole line, as a subscriber hands it over; what is lost is counted, not reported.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.write_line(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LineWriter {
    type Writer = &'a LineWriter;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

#[cfg(test)]
mod tests;
