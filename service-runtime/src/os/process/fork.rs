//! Forking, allowed only to a process with one thread.
#![expect(
    unsafe_code,
    reason = "fork is unsafe: the one-thread rule that makes it sound is kept here"
)]

use std::io;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::unistd::{ForkResult, Pid};

use super::threads;

/// How long a thread that was joined may take to go for good.
const JOINED: Duration = Duration::from_millis(20);

/// Which side of a fork this is.
#[derive(Debug)]
pub(crate) enum Forked {
    /// The new process.
    Child,
    /// The process that forked, with the id of the new one.
    Parent(Pid),
}

/// Why a process could not be forked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ForkError {
    /// Other threads were running: a child would inherit their locks and not them.
    #[error(
        "cannot fork while other threads run: {names}; start them in `main`, which runs in the \
         worker, not in `preload` or before the launch"
    )]
    Threads {
        /// The names of the threads, with their ids.
        names: String,
    },
    /// Nobody can say whether other threads run.
    #[error("cannot fork: the threads of this process cannot be counted; mount `/proc`")]
    Uncounted(#[source] io::Error),
    /// The operating system refused.
    #[error("cannot fork")]
    Os(#[source] Errno),
}

/// Forks this process.
///
/// # Errors
///
/// Returns [`ForkError::Threads`] if another thread runs, [`ForkError::Uncounted`] if that cannot be told,
/// [`ForkError::Os`] if the kernel refuses (too many processes, no memory).
pub(crate) fn fork() -> Result<Forked, ForkError> {
    only_thread()?;
    // SAFETY: a child may run any code only if no other thread held a lock at the fork.
    // `only_thread` has just counted one thread, this one, and it has started none since.
    let forked = unsafe { fork_now() }.map_err(ForkError::Os)?;
    Ok(match forked {
        ForkResult::Child => Forked::Child,
        ForkResult::Parent { child } => Forked::Parent(child),
    })
}

#[expect(clippy::disallowed_methods, reason = "the one place that forks")]
unsafe fn fork_now() -> nix::Result<ForkResult> {
    // SAFETY: passed on to the caller of this function.
    unsafe { nix::unistd::fork() }
}

/// Refuses a process in which another thread runs.
///
/// A thread that was joined is listed for a moment more; such a one is waited for.
///
/// # Errors
///
/// Returns [`ForkError::Threads`] with the names of the threads, or [`ForkError::Uncounted`].
pub(crate) fn only_thread() -> Result<(), ForkError> {
    let mut others = threads::others().map_err(ForkError::Uncounted)?;
    let begin = Instant::now();
    while !others.is_empty() && begin.elapsed() < JOINED {
        std::thread::sleep(Duration::from_millis(1));
        others = threads::others().map_err(ForkError::Uncounted)?;
    }
    if others.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = others
        .iter()
        .map(|thread| format!("`{}` ({})", thread.name, thread.id))
        .collect();
    Err(ForkError::Threads {
        names: names.join(", "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_with_a_second_thread_is_refused_and_the_thread_named() {
        // The test runner itself is the stray thread.
        let error = fork().unwrap_err();
        assert!(
            error
                .to_string()
                .contains("cannot fork while other threads run: `"),
            "{error}"
        );
    }
}
