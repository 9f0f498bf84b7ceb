//! What the parts of a supervisor have in common, and the sleep until one of them has something.

use std::os::fd::BorrowedFd;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::policy::Time;

/// A part of the supervisor with a state of its own, which nobody else reads.
pub(super) trait Component {
    /// What it tells.
    type Event;

    /// Returns the descriptors that it waits for.
    fn fds(&self) -> Vec<BorrowedFd<'_>>;

    /// Returns when it has to be asked again, whatever its descriptors say.
    fn deadline(&self) -> Option<Time>;

    /// Returns what has happened since it was asked last.
    ///
    /// `ready` tells of each of its descriptors, as [`fds`](Self::fds) returned them, whether it is
    /// ready.
    fn events(&mut self, now: Time, ready: &[bool]) -> Vec<Self::Event>;
}

/// The descriptors of all components, component by component.
#[derive(Default)]
pub(super) struct Waiting<'a> {
    fds: Vec<PollFd<'a>>,
    counts: Vec<usize>,
    deadline: Option<Time>,
}

/// Which descriptors are ready, component by component.
pub(super) struct Ready {
    flags: Vec<bool>,
    counts: std::vec::IntoIter<usize>,
    taken: usize,
}

impl<'a> Waiting<'a> {
    /// Adds what a component waits for; [`Ready::next`] returns its part in the same order.
    pub(super) fn add(mut self, component: &'a impl Component) -> Self {
        let fds = component.fds();
        self.counts.push(fds.len());
        let readable = |fd| PollFd::new(fd, PollFlags::POLLIN);
        self.fds.extend(fds.into_iter().map(readable));
        self.until(component.deadline())
    }

    /// Adds a descriptor of no component, behind those of all components.
    pub(super) fn also(mut self, fd: Option<BorrowedFd<'a>>) -> Self {
        self.fds
            .extend(fd.map(|fd| PollFd::new(fd, PollFlags::POLLIN)));
        self
    }

    /// Adds a time at which to wake up.
    pub(super) fn until(mut self, deadline: Option<Time>) -> Self {
        self.deadline = self.deadline.into_iter().chain(deadline).min();
        self
    }

    /// Sleeps until a descriptor is ready or the first deadline has come.
    pub(super) fn sleep(mut self, now: Time) -> Ready {
        let timeout = self.deadline.map_or(PollTimeout::NONE, |at| {
            // Rounded up, so that what is due is due when the sleep ends.
            let left = at
                .saturating_sub(now)
                .saturating_add(Duration::from_millis(1));
            PollTimeout::try_from(left.as_millis()).unwrap_or(PollTimeout::MAX)
        });
        // After an error everything is looked at.
        let all = poll(&mut self.fds, timeout).is_err();
        let flags = self.fds.iter().map(|fd| all || fd.any() != Some(false));
        Ready {
            flags: flags.collect(),
            counts: self.counts.into_iter(),
            taken: 0,
        }
    }
}

impl Ready {
    /// Returns the part of the next component.
    pub(super) fn next(&mut self) -> &[bool] {
        let from = self.taken;
        self.taken += self.counts.next().unwrap_or(0);
        &self.flags[from..self.taken]
    }
}
