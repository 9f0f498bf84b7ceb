//! The supervisor's sleep, and what ends it.

use std::os::fd::AsFd;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::event_loop::EventLoop;
use super::hang::OVERSLEPT;
use super::policy::WorkerId;

/// What a sleep ended with.
pub(super) struct Woken {
    /// It took much longer than it was to take.
    pub(super) overslept: bool,
    /// The workers that may have said something or ended.
    pub(super) workers: Vec<WorkerId>,
}

impl EventLoop {
    /// Sleeps until something happens or is due.
    pub(super) fn wait(&self) -> Woken {
        let due = self.machine.deadline();
        let timeout = match due
            .into_iter()
            .chain(self.speak_at)
            .chain(self.upgrade.wake_up())
            .chain(self.exit_commands.deadline())
            .chain(self.inquiry.deadline())
            .min()
        {
            None => PollTimeout::NONE,
            Some(at) => {
                let left = at.saturating_sub(self.now());
                // Rounded up, so that what is due is due when the sleep ends.
                PollTimeout::try_from(left.as_millis() + 1).unwrap_or(PollTimeout::MAX)
            }
        };
        let readable = |fd| PollFd::new(fd, PollFlags::POLLIN);
        let mut fds = vec![readable(self.signals.as_fd())];
        let mut owners = Vec::new();
        for (id, process) in &self.processes {
            let both = [Some(process.child.as_fd()), process.channel()];
            for fd in both.into_iter().flatten() {
                fds.push(readable(fd));
                owners.push(*id);
            }
        }
        fds.extend(self.upgrade.fds().map(readable));
        fds.extend(
            self.predecessor
                .iter()
                .filter(|_| self.machine.is_serving())
                .map(|old| readable(old.as_fd())),
        );
        fds.extend(
            self.check
                .iter()
                .chain(&self.abandoned)
                .map(|check| readable(check.fd())),
        );
        fds.extend(self.exit_commands.fds().map(readable));
        // After an error everything is looked at.
        let all = poll(&mut fds, timeout).is_err();
        let mut workers: Vec<WorkerId> = owners
            .into_iter()
            .zip(&fds[1..])
            .filter(|(_, fd)| all || fd.any() != Some(false))
            .map(|(id, _)| id)
            .collect();
        workers.dedup();
        Woken {
            overslept: due.is_some_and(|due| due + OVERSLEPT < self.now()),
            workers,
        }
    }
}
