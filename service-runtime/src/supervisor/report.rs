//! The report of SIGUSR1: asks the workers for their parts, and waits for those that answer.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Duration;

use super::component::Component;
use super::policy::{Time, WorkerId};
use super::workers::Workers;
use crate::ipc::protocol::ToWorker;
use crate::os::process::memory;
use crate::settings::ReportFormat;

/// How long the workers have to answer.
const TIME_TO_ANSWER: Duration = Duration::from_secs(2);

/// The longest part that is taken from a worker, in bytes.
const LONGEST: u64 = 4 << 20;

/// The parts of a report that are asked for.
#[derive(Debug, Default)]
pub(super) struct ReportCollection {
    /// The number of the last question.
    number: u32,
    /// Until when there is time to answer; `None` while no report is under way.
    deadline: Option<Time>,
    format: ReportFormat,
    /// Who has not answered.
    waiting: BTreeSet<WorkerId>,
    parts: BTreeMap<WorkerId, String>,
    /// A report was asked for while one was under way.
    again: bool,
}

/// The parts of a report, of all workers that have answered.
pub(super) struct Parts {
    pub(super) format: ReportFormat,
    pub(super) of: BTreeMap<WorkerId, String>,
    /// Whether another report is to follow.
    pub(super) again: bool,
}

impl ReportCollection {
    /// Counts questions from a number on in steps of two: each of two collections knows its answers.
    #[cfg(feature = "control")]
    pub(super) fn numbered_from(number: u32) -> Self {
        Self {
            number,
            ..Self::default()
        }
    }

    /// Returns whether a question of this number is of this collection.
    #[cfg(feature = "control")]
    pub(super) fn has_asked(&self, number: u32) -> bool {
        number % 2 == self.number % 2
    }

    /// Returns whether workers have still to answer.
    #[cfg(feature = "control")]
    pub(super) fn is_under_way(&self) -> bool {
        self.deadline.is_some()
    }

    /// Asks every worker for its part of a report, now or when the one under way is written.
    pub(super) fn begin(&mut self, workers: &Workers, format: ReportFormat, now: Time) {
        if self.deadline.is_some() {
            self.again = true;
            return;
        }
        let number = self.number.wrapping_add(2);
        let question = ToWorker::Report {
            id: number,
            as_json: format.is_json(),
        };
        let asked = workers.iter();
        let asked = asked.filter(|(_, process)| process.try_send(&question));
        *self = Self {
            number,
            deadline: Some(now + TIME_TO_ANSWER),
            format,
            waiting: asked.map(|(id, _)| id).collect(),
            ..Self::default()
        };
    }

    /// Takes in the part of a worker.
    pub(super) fn answered(&mut self, worker: WorkerId, number: u32, file: Option<OwnedFd>) {
        if number != self.number || !self.waiting.remove(&worker) {
            return;
        }
        if let Some(part) = file.and_then(read) {
            self.parts.insert(worker, part);
        }
    }

    /// Waits no longer for a worker that has ended.
    pub(super) fn ended(&mut self, worker: WorkerId) {
        self.waiting.remove(&worker);
    }
}

impl Component for ReportCollection {
    type Event = Parts;

    fn fds(&self) -> Vec<BorrowedFd<'_>> {
        Vec::new()
    }

    fn deadline(&self) -> Option<Time> {
        let is_complete = self.waiting.is_empty();
        self.deadline
            .map(|at| if is_complete { Time::ZERO } else { at })
    }

    fn events(&mut self, now: Time, _ready: &[bool]) -> Vec<Parts> {
        let is_due = |deadline| self.waiting.is_empty() || now >= deadline;
        if !self.deadline.is_some_and(is_due) {
            return Vec::new();
        }
        self.deadline = None;
        vec![Parts {
            // In the form in which the workers have written their parts.
            format: self.format,
            of: std::mem::take(&mut self.parts),
            again: std::mem::take(&mut self.again),
        }]
    }
}

/// Reads what a worker has written, which is not trusted to be short or to stay.
fn read(file: OwnedFd) -> Option<String> {
    let length = nix::sys::stat::fstat(&file).ok()?.st_size;
    if u64::try_from(length).ok()? > LONGEST {
        return None;
    }
    String::from_utf8(memory::read(file).ok()?).ok()
}
