//! The command that is run after each worker's end: `on_worker_exit`.
//!
//! It is none of the author's code in the supervisor: a process of its own, which the supervisor
//! neither waits for nor lets live for ever, and of which there are never many.

use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use nix::unistd::Pid;

use super::component::Component;
use super::policy::Time;
use super::worker_process::WorkerProcess;
use crate::error_chain::chain;
use crate::os::process::child::Ended;
use crate::os::process::command::{Detached, NOT_EXECUTED};
use crate::settings::ExitCommand;

/// How many may run at the same time.
const AT_ONCE: usize = 4;

/// How long a command may go on when the supervisor is to exit at once.
const AT_AN_EXIT: Duration = Duration::from_millis(500);

/// The commands that run.
#[derive(Debug, Default)]
pub(super) struct ExitCommands {
    running: Vec<Running>,
    /// For how many ends it was not run since it was last.
    skipped: u64,
}

#[derive(Debug)]
struct Running {
    detached: Detached,
    /// The worker that it is about.
    worker: i32,
    deadline: Option<Time>,
    killed: bool,
}

/// The end of a worker.
pub(super) struct EndedWorker<'a> {
    pub(super) program: &'a str,
    pub(super) process: &'a WorkerProcess,
    pub(super) ended: Ended,
    /// Whether it was told to end.
    pub(super) expected: bool,
}

impl ExitCommands {
    /// Runs the command for the end of a worker, unless too many run already.
    pub(super) fn run(
        &mut self,
        setting: &ExitCommand,
        give_up: bool,
        now: Time,
        end: &EndedWorker<'_>,
    ) {
        if setting.command.is_empty() {
            return;
        }
        let worker = end.process.pid().as_raw();
        if self.running.len() >= AT_ONCE {
            self.skipped += 1;
            if self.skipped == 1 {
                tracing::warn!(
                    pid = worker,
                    "on_worker_exit is not run: {AT_ONCE} commands run already"
                );
            }
            return;
        }
        let skipped = std::mem::take(&mut self.skipped);
        if skipped > 0 {
            tracing::warn!(
                skipped,
                "on_worker_exit is run again, it was not for some ends"
            );
        }
        match Detached::start(&setting.command, end.variables(), give_up) {
            Ok(detached) => self.running.push(Running {
                detached,
                worker,
                deadline: setting.timeout.map(|timeout| now + timeout),
                killed: false,
            }),
            Err(error) => {
                let error = chain(&error);
                tracing::warn!(pid = worker, "on_worker_exit cannot be run: {error}");
            }
        }
    }

    /// Returns whether some run whose end will come: those without a time limit are not waited for.
    pub(super) fn are_bounded(&self) -> bool {
        let mut running = self.running.iter();
        running.any(|running| running.deadline.is_some() || running.killed)
    }

    /// Lets none of those with a time limit run for much longer: the supervisor exits at once.
    pub(super) fn shorten_deadlines(&mut self, now: Time) {
        self.limit_deadlines(now + AT_AN_EXIT);
    }

    /// Lets none of those with a time limit run for longer than until then.
    pub(super) fn limit_deadlines(&mut self, until: Time) {
        for running in &mut self.running {
            running.deadline = running.deadline.map(|deadline| deadline.min(until));
        }
    }

    /// Returns the processes, which are no strangers.
    pub(super) fn pids(&self) -> impl Iterator<Item = Pid> {
        self.running.iter().map(|running| running.detached.pid())
    }
}

impl Component for ExitCommands {
    type Event = std::convert::Infallible;

    fn fds(&self) -> Vec<BorrowedFd<'_>> {
        let running = self.running.iter();
        running.map(|running| running.detached.as_fd()).collect()
    }

    fn deadline(&self) -> Option<Time> {
        let running = self.running.iter();
        running.filter_map(|running| running.deadline).min()
    }

    /// Reaps what has ended and kills what is late: nobody else needs to know.
    fn events(&mut self, now: Time, _ready: &[bool]) -> Vec<Self::Event> {
        for running in &mut self.running {
            if running.deadline.is_some_and(|deadline| deadline <= now) {
                running.deadline = None;
                running.killed = true;
                running.detached.kill();
            }
        }
        self.running.retain(|running| {
            let Some(ended) = running.detached.reap() else {
                return true;
            };
            let pid = running.worker;
            match ended {
                _ if running.killed => {
                    tracing::warn!(
                        pid,
                        "on_worker_exit took longer than on_worker_exit_timeout: killed"
                    );
                }
                Ended::Exited(0) => tracing::debug!(pid, "on_worker_exit is done"),
                // The child has said why.
                Ended::Exited(NOT_EXECUTED) => {
                    tracing::warn!(pid, "on_worker_exit could not be executed");
                }
                ended => tracing::warn!(pid, how = %ended, "on_worker_exit failed"),
            }
            false
        });
        Vec::new()
    }
}

impl EndedWorker<'_> {
    fn variables(&self) -> Vec<(&'static str, OsString)> {
        let (exit, status, core) = match self.ended {
            Ended::Exited(code) => ("code", code.to_string(), false),
            Ended::Killed { signal, core } => ("signal", signal.to_string(), core),
        };
        let flag = |yes: bool| if yes { "1" } else { "0" }.to_owned();
        let process = self.process;
        let error = process.error().unwrap_or_default();
        let uptime: Duration = process.age();
        [
            ("SERVICE_PROGRAM", self.program.to_owned()),
            (
                "SERVICE_NAME",
                process.pool().unwrap_or_default().to_owned(),
            ),
            ("SERVICE_SLOT", process.slot().number.to_string()),
            ("SERVICE_PID", process.pid().to_string()),
            ("SERVICE_GENERATION", process.generation().to_string()),
            ("SERVICE_EXIT", exit.to_owned()),
            ("SERVICE_STATUS", status),
            ("SERVICE_CORE", flag(core)),
            ("SERVICE_UPTIME", uptime.as_secs().to_string()),
            ("SERVICE_EXPECTED", flag(self.expected)),
            // No variable can hold a zero byte.
            ("SERVICE_ERROR", error.replace('\0', " ")),
        ]
        .map(|(name, value)| (name, value.into()))
        .into()
    }
}
