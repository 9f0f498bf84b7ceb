//! The report of SIGUSR1: asks the workers for their parts, and puts the whole together.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::event_loop::EventLoop;
use super::log_events::status;
use super::policy::{Cause, Note, State, Time, WorkerId};
use super::worker_process::Process;
use crate::ipc::protocol::ToWorker;
use crate::os::process::page::Cell;
use crate::os::process::{clock, look, memory};
use crate::settings::{Report, ReportFormat};
use crate::status::{self, Row, usage};

/// How long the workers have to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The longest part that is taken from a worker.
const LONGEST: u64 = 4 << 20;

/// Parts that are asked for.
#[derive(Debug, Default)]
pub(super) struct Inquiry {
    /// The number of the last question.
    number: u32,
    /// Until when there is time to answer; `None` while nobody asks.
    deadline: Option<Time>,
    format: ReportFormat,
    /// Who has not answered.
    waiting: BTreeSet<WorkerId>,
    parts: BTreeMap<WorkerId, String>,
    /// Somebody asked meanwhile.
    again: bool,
}

impl Inquiry {
    /// Returns when the report is written, whoever has not answered.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.deadline
    }
}

impl EventLoop {
    /// Asks every worker for its part of a report.
    pub(super) fn report(&mut self) {
        if self.inquiry.deadline.is_some() {
            self.inquiry.again = true;
            return;
        }
        let id = self.inquiry.number.wrapping_add(1);
        let settings = self.settings().map(|settings| settings.report.format);
        let format = settings.unwrap_or_default();
        let question = ToWorker::Report { id, format };
        let asked = self.processes.iter();
        let asked = asked.filter(|(_, process)| process.send(&question, &[]).is_ok());
        self.inquiry = Inquiry {
            number: id,
            deadline: Some(self.now() + PATIENCE),
            format,
            waiting: asked.map(|(id, _)| *id).collect(),
            ..Inquiry::default()
        };
    }

    /// Takes in the part of a worker.
    pub(super) fn reported(&mut self, worker: WorkerId, id: u32) {
        let file = self
            .processes
            .get_mut(&worker)
            .and_then(|process| process.file.take());
        if id != self.inquiry.number || !self.inquiry.waiting.remove(&worker) {
            return;
        }
        if let Some(part) = file.and_then(read) {
            self.inquiry.parts.insert(worker, part);
        }
    }

    /// Writes the report if everybody has answered that can, or the time is up.
    pub(super) fn finish_report(&mut self) {
        let Some(deadline) = self.inquiry.deadline else {
            return;
        };
        let processes = &self.processes;
        self.inquiry.waiting.retain(|id| processes.contains_key(id));
        if !self.inquiry.waiting.is_empty() && self.now() < deadline {
            return;
        }
        let whole = self.whole();
        let dir = self
            .settings()
            .and_then(|settings| settings.report.dir.clone());
        // In the form that the workers have written their parts in.
        let format = self.inquiry.format;
        status::emit(&whole, &self.facts.program, &Report { format, dir });
        self.inquiry.deadline = None;
        self.inquiry.parts.clear();
        if std::mem::take(&mut self.inquiry.again) {
            self.report();
        }
    }

    /// Keeps what a note tells of a reload.
    pub(super) fn remember(&mut self, note: &Note) {
        let outcome = match note {
            Note::Reloading(generation) => format!("generation {generation} is under way"),
            Note::Reloaded(generation) => format!("generation {generation} has taken over"),
            Note::Mutated(0) => "mutated".to_owned(),
            Note::Mutated(refused) => format!("mutated, {refused} workers did not take it over"),
            Note::Undone(generation) => format!("undone, generation {generation} serves again"),
            // What is wrong is kept where it is read.
            Note::ReloadRefused(Cause::Configuration) => return,
            Note::ReloadRefused(Cause::CheckTimedOut) => {
                "refused: the check took too long".to_owned()
            }
            Note::ReloadRefused(Cause::Worker(id)) => {
                let last = self.last_death.as_ref().filter(|death| death.id == *id);
                let error = last.and_then(|death| death.error.as_deref());
                let why = error.unwrap_or("it ended before it was ready");
                format!("failed with a new worker: {why}")
            }
            _ => return,
        };
        self.history.reload(outcome);
    }

    fn whole(&self) -> Row {
        let supervisor = Row::one("supervisor").with("pid", u64::from(std::process::id()));
        Row::one(status(&self.machine, &self.pools))
            .with("uptime", self.facts.uptime())
            .with("lost_lines", self.logging.lost())
            .rows(self.facts.rows(self.present()))
            .rows([usage(supervisor, nix::unistd::getpid())])
            .rows(status::listeners(&self.listeners))
            .rows(self.slots())
            .rows(self.workers())
            .rows(self.history.rows())
    }

    fn slots(&self) -> impl Iterator<Item = Row> {
        self.machine.slots().map(|slot| {
            let holder = slot.holder.and_then(|id| self.processes.get(&id));
            let of = self.pools.name(slot.pool);
            let restarts = self.restarts.get(&(slot.pool, slot.number));
            Row::of_many("slot", "slots")
                .with("number", slot.number)
                .with("of", of.map(|of| of.to_string()))
                .with("worker", holder.map(|process| process.child.pid().as_raw()))
                .with("restarts", restarts.copied().unwrap_or(0))
                .with("young_deaths", u64::from(slot.young))
                .with("refused_forks", u64::from(slot.refused))
                .with(
                    "next_worker_in",
                    slot.retry_at.map(|at| at.saturating_sub(self.now())),
                )
        })
    }

    fn workers(&self) -> impl Iterator<Item = Row> {
        let mut workers: Vec<_> = self.machine.workers().collect();
        workers.sort_by_key(|worker| (worker.slot, worker.id));
        workers.into_iter().filter_map(|worker| {
            let process = self.processes.get(&worker.id)?;
            let row = self.worker(process).with("state", state(worker.state));
            let pid = process.child.pid();
            Some(match self.inquiry.parts.get(&worker.id) {
                Some(part) => usage(row, pid).written(part.clone()),
                None => {
                    let threads = look::threads(pid).into_iter();
                    let threads = threads.map(|thread| {
                        Row::of_many("thread", "thread_states").with("doing", thread)
                    });
                    usage(row, pid).with("answer", "none").rows(threads)
                }
            })
        })
    }

    fn worker(&self, process: &Process) -> Row {
        let cell = self.page.cell(process.cell);
        let beat = Duration::from_millis(cell.beat.load(Ordering::Acquire));
        let beat = (!beat.is_zero()).then(|| clock::now().saturating_sub(beat));
        Row::of_many("worker", "workers")
            .with("slot", process.place.number)
            .with("of", process.pool.as_deref().map(str::to_owned))
            .with("pid", process.child.pid().as_raw())
            .with("generation", process.generation)
            .with("age", process.born.elapsed())
            .with("requests", cell.requests.load(Ordering::Relaxed))
            .with("http", http(&cell))
            .with("heartbeat_ago", beat)
            .with("error", process.error.clone())
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

/// Returns what a worker tells of its requests of HTTP, if there were any.
fn http(cell: &Cell) -> Option<String> {
    #[cfg(feature = "http")]
    return cell.exchanges.figures().map(|figures| figures.to_string());
    #[cfg(not(feature = "http"))]
    {
        let _ = cell;
        None
    }
}

fn state(state: State) -> &'static str {
    match state {
        State::Forking | State::Starting { .. } => "starting",
        State::Ready { .. } => "ready",
        State::Stopping { .. } => "stopping",
        State::Aborted { .. } => "aborted",
        State::Killed => "killed",
    }
}
