//! A thread that ends this process when its runtime cannot.
//!
//! It is a plain thread and not a task: code that blocks the runtime must neither keep a worker
//! alive that nobody supervises, nor a program that was told twice to stop.

use std::io::{self, PipeReader, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::{Pid, getppid};
use signal_hook::consts::{SIGINT, SIGQUIT, SIGTERM};
use signal_hook::low_level::pipe;

use crate::exit::Exit;
use crate::os::process::{exit, thread};
use crate::stop_requests::{Requester, StopRequest, StopRequests};

/// The thread's stack, in bytes.
const STACK: usize = 64 * 1024;

/// How long the runtime has to log and exit by itself before the watchdog does.
const EXIT_DELAY: Duration = Duration::from_millis(300);

/// How long the log may hold up an exit.
const LOG_LIMIT: Duration = Duration::from_millis(100);

/// The signal that the kernel sends a worker when its supervisor dies.
///
/// The end of the channel says the same, but not for as long as another child of the supervisor, which
/// has not executed its program yet, holds a copy of the other end. No program sends this signal
/// otherwise, and one that was sent by somebody else is no death.
#[cfg(workers)]
pub(crate) const PARENT_DEATH_SIGNAL: nix::sys::signal::Signal = nix::sys::signal::Signal::SIGPWR;

/// The supervisor of this process, as the watchdog holds it.
#[derive(Debug)]
pub(crate) struct WatchedSupervisor {
    /// A second handle on the channel, whose end is the supervisor's.
    pub(crate) channel: OwnedFd,
    /// Its pid, as it was before the fork: read later, it may be that of whoever adopted this process.
    pub(crate) pid: Pid,
}

/// What the thread needs to know, changed by the runtime.
#[derive(Debug, Clone)]
pub(crate) struct Watchdog(Arc<Mutex<Option<Duration>>>);

impl Watchdog {
    /// Starts the thread. `graceful` is how long a stop may take, `None` for no limit.
    ///
    /// With a `supervisor`, its end begins a stop, and TERM does not: the supervisor bounds the
    /// stops that it asks for. Without one, the first TERM does.
    ///
    /// # Errors
    ///
    /// Returns the error of the operating system: no threads or descriptors left.
    pub(crate) fn start(
        graceful: Option<Duration>,
        supervisor: Option<WatchedSupervisor>,
        orphaned: impl Fn() + Send + 'static,
    ) -> io::Result<Self> {
        let watchdog = Self(Arc::new(Mutex::new(graceful)));
        let watch = Watch {
            stops: caught(&[SIGTERM, SIGQUIT])?,
            ints: caught(&[SIGINT])?,
            deaths: deaths(supervisor.is_some())?,
            supervisor,
            watchdog: watchdog.clone(),
        };
        thread::spawn(STACK, move || {
            name();
            watch.keep(orphaned);
        })?;
        Ok(watchdog)
    }

    /// Changes how long a stop may take that begins from now on.
    pub(crate) fn set_graceful(&self, graceful: Option<Duration>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = graceful;
    }

    fn graceful(&self) -> Option<Duration> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread's side.
struct Watch {
    stops: PipeReader,
    ints: PipeReader,
    /// Wakes when the supervisor has died, in a worker.
    deaths: Option<PipeReader>,
    supervisor: Option<WatchedSupervisor>,
    watchdog: Watchdog,
}

impl Watch {
    fn keep(mut self, orphaned: impl Fn()) {
        let bounds_stops = self.supervisor.is_none();
        let (mut requests, since) = (StopRequests::new(!bounds_stops), Instant::now());
        let mut deadline: Option<Instant> = None;
        // It may have died before anything here watched it.
        let mut seen = Seen {
            orphaned: self.has_lost_parent(),
            ..Seen::default()
        };
        loop {
            let now = Instant::now();
            if deadline.is_some_and(|deadline| deadline <= now) {
                say_why();
                exit::now(Exit::Failed.code().into());
            }
            if seen.int {
                deadline = sooner(deadline, after(now, EXIT_DELAY));
            }
            for _ in 0..seen.stops {
                let request = requests.count(now.duration_since(since), Requester::Unknown);
                if request == StopRequest::IsUrgent {
                    deadline = sooner(deadline, after(now, EXIT_DELAY));
                } else if bounds_stops && let Some(graceful) = self.watchdog.graceful() {
                    deadline = sooner(deadline, after(after(now, graceful), EXIT_DELAY));
                }
            }
            if seen.orphaned {
                self.supervisor = None;
                self.deaths = None;
                orphaned();
                if let Some(graceful) = self.watchdog.graceful() {
                    deadline = sooner(deadline, after(after(now, graceful), EXIT_DELAY));
                }
            }
            seen = self.wait(deadline);
        }
    }

    /// Returns whether the process that forked this one is its parent no more.
    fn has_lost_parent(&self) -> bool {
        let supervisor = self.supervisor.as_ref();
        supervisor.is_some_and(|supervisor| getppid() != supervisor.pid)
    }

    fn wait(&mut self, deadline: Option<Instant>) -> Seen {
        let timeout = match deadline {
            None => PollTimeout::NONE,
            Some(at) => {
                let left = at.saturating_duration_since(Instant::now());
                // One millisecond more, so that the deadline has passed when the wait has.
                PollTimeout::try_from(left.as_millis() + 1).unwrap_or(PollTimeout::MAX)
            }
        };
        // An array and no `Vec`: a second thread that allocates gets a heap of its own. Without a
        // supervisor its place is taken by a pipe for which nothing is asked, nor will be told.
        let supervisor = self.supervisor.as_ref();
        let end = supervisor.map(|supervisor| supervisor.channel.as_fd());
        let mut fds = [
            PollFd::new(self.stops.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.ints.as_fd(), PollFlags::POLLIN),
            // With no events asked for, only the end of the other side wakes this.
            PollFd::new(end.unwrap_or(self.stops.as_fd()), PollFlags::empty()),
            PollFd::new(
                self.deaths.as_ref().unwrap_or(&self.stops).as_fd(),
                PollFlags::POLLIN,
            ),
        ];
        if poll(&mut fds, timeout).is_err() {
            return Seen::default();
        }
        let woken = fds.each_ref().map(|fd| fd.any().unwrap_or(false));
        let hung_up = end.is_some() && woken[2];
        let died = match &mut self.deaths {
            Some(deaths) => woken[3] && take(deaths) > 0 && self.has_lost_parent(),
            None => false,
        };
        Seen {
            stops: if woken[0] { take(&mut self.stops) } else { 0 },
            int: woken[1] && take(&mut self.ints) > 0,
            orphaned: hung_up || died,
        }
    }
}

#[derive(Default)]
struct Seen {
    stops: usize,
    int: bool,
    orphaned: bool,
}

/// Names this thread, for those who look from outside.
fn name() {
    #[cfg(workers)]
    let _ = nix::sys::prctl::set_name(c"watchdog");
}

/// Returns a pipe that gets a byte with each of these signals.
fn caught(signals: &[i32]) -> io::Result<PipeReader> {
    let (read, write) = io::pipe()?;
    for signal in signals {
        pipe::register(*signal, write.try_clone()?)?;
    }
    Ok(read)
}

/// Returns a pipe that gets a byte when the parent has died, in a process that asked for it.
fn deaths(supervised: bool) -> io::Result<Option<PipeReader>> {
    #[cfg(workers)]
    if supervised {
        return caught(&[PARENT_DEATH_SIGNAL as i32]).map(Some);
    }
    let _ = supervised;
    Ok(None)
}

/// Logs that the runtime is stuck, unless the log is as well.
fn say_why() {
    let (tell, told) = mpsc::channel();
    let logger = std::thread::Builder::new().spawn(move || {
        tracing::error!(
            "exits without its services: a hook or a task blocks the runtime, or the program was told \
             to stop more than once"
        );
        let _ = tell.send(());
    });
    if logger.is_ok() {
        let _ = told.recv_timeout(LOG_LIMIT);
    }
}

fn take(pipe: &mut PipeReader) -> usize {
    let mut bytes = [0; 64];
    // It is known to be readable, and nobody else reads.
    pipe.read(&mut bytes).unwrap_or(0)
}

/// Returns a later time; in a year, if the time to wait is beyond what a clock can tell.
fn after(time: Instant, wait: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    time.checked_add(wait).unwrap_or_else(|| time + YEAR)
}

fn sooner(deadline: Option<Instant>, other: Instant) -> Option<Instant> {
    Some(deadline.map_or(other, |deadline| deadline.min(other)))
}
