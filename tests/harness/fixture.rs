//! A fixture program that runs.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;

use super::{LIMIT, Lines, Scratch, Worker, children, processes};

/// A program that was started, with all its processes. Whatever is left of it is killed on drop.
pub struct Fixture {
    pid: Pid,
    lines: Lines,
    stdout: Lines,
    end: End,
    marker: String,
    scratch: Scratch,
}

type End = Arc<(Mutex<Option<ExitStatus>>, Condvar)>;

impl Fixture {
    pub(super) fn new(mut child: Child, marker: String, scratch: Scratch) -> Self {
        let pid = i32::try_from(child.id()).expect("a pid is a small number");
        let lines = child.stderr.take().map_or_else(Lines::none, Lines::of);
        let stdout = child.stdout.take().map_or_else(Lines::none, Lines::of);
        let end = End::default();
        let told = Arc::clone(&end);
        thread::spawn(move || {
            let status = child.wait().expect("nobody else waits for it");
            *told.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(status);
            told.1.notify_all();
        });
        Self {
            pid: Pid::from_raw(pid),
            lines,
            stdout,
            end,
            marker,
            scratch,
        }
    }

    /// Returns the process that was started: the supervisor, or the only one.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Returns the lines on standard error: the log.
    pub fn lines(&self) -> &Lines {
        &self.lines
    }

    /// Returns the lines on standard output.
    pub fn stdout(&self) -> &Lines {
        &self.stdout
    }

    /// Waits for a line of the log; see [`Lines::wait_for`].
    ///
    /// # Panics
    ///
    /// Panics if no such line comes.
    #[track_caller]
    pub fn wait_for(&self, text: &str) -> String {
        self.lines.wait_for(text)
    }

    /// Waits until one more worker is ready.
    ///
    /// # Panics
    ///
    /// Panics if none gets ready.
    #[track_caller]
    pub fn ready_worker(&self) -> Worker {
        Worker::of(&self.wait_for("worker ready "))
    }

    /// Waits until the program is ready with this many workers, and returns them by slot.
    ///
    /// # Panics
    ///
    /// Panics if it does not get ready.
    #[track_caller]
    pub fn ready(&self, workers: usize) -> Vec<Worker> {
        let mut ready: Vec<Worker> = (0..workers).map(|_| self.ready_worker()).collect();
        self.wait_for(&format!(" ready: {workers} worker"));
        ready.sort_unstable();
        ready
    }

    /// Sends a signal to the process that was started.
    ///
    /// # Panics
    ///
    /// Panics if it has ended.
    #[track_caller]
    pub fn signal(&self, signal: Signal) {
        processes::kill(self.pid, signal);
    }

    /// Sends a signal to every process of the program that lives, in no order.
    pub fn signal_all(&self, signal: Signal) {
        for pid in self.processes() {
            // Another signal may have ended it meanwhile.
            let _ = signal::kill(pid, signal);
        }
    }

    /// Writes the configuration file anew; see [`Program::config`](super::Program::config).
    pub fn rewrite(&self, text: &str) {
        self.scratch.write("config.toml", text);
    }

    /// Returns every living process of the program, with or without its supervisor.
    pub fn processes(&self) -> Vec<Pid> {
        processes::marked(&self.marker)
    }

    /// Returns the living children of the process that was started.
    pub fn children(&self) -> Vec<Pid> {
        children(self.pid)
    }

    /// Waits until its living children are these and no others: one that was to do something for a moment,
    /// such as a check of the configuration, may not have ended yet.
    ///
    /// # Panics
    ///
    /// Panics if that does not become true.
    #[track_caller]
    pub fn has_children(&self, pids: &[Pid]) {
        let mut pids = pids.to_vec();
        pids.sort_unstable();
        processes::until(&format!("the children are {pids:?}"), || {
            self.children() == pids
        });
    }

    /// Waits until its children are one worker a slot, the ones that got ready last, and returns
    /// them by slot.
    ///
    /// # Panics
    ///
    /// Panics if that does not become true.
    #[track_caller]
    pub fn settles(&self, workers: usize) -> Vec<Worker> {
        let newest = || {
            let mut newest: BTreeMap<usize, Worker> = BTreeMap::new();
            for line in self.lines.with("worker ready ") {
                let worker = Worker::of(&line);
                newest.insert(worker.slot, worker);
            }
            newest.into_values().take(workers).collect::<Vec<_>>()
        };
        processes::until("one ready worker a slot, and no other child", || {
            let mut pids: Vec<Pid> = newest().iter().map(|worker| worker.pid).collect();
            pids.sort_unstable();
            // Looked at last: one that is not reaped yet still has its descriptors in the supervisor.
            let reaped = || processes::zombies(self.pid).is_empty();
            pids.len() == workers && self.children() == pids && reaped()
        });
        newest()
    }

    /// Returns whether the process that was started has ended.
    pub fn has_ended(&self) -> bool {
        self.status().is_some()
    }

    /// Waits for the end of the process that was started.
    ///
    /// # Panics
    ///
    /// Panics if it does not end.
    #[track_caller]
    pub fn exit_status(&self) -> ExitStatus {
        let state = self.end.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (state, _) = self
            .end
            .1
            .wait_timeout_while(state, LIMIT, |status| status.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        let status = *state;
        drop(state);
        let status = status.unwrap_or_else(|| panic!("{} still runs", self.pid));
        // What it has said is there for whoever asks now.
        self.lines.catch_up();
        self.stdout.catch_up();
        status
    }

    /// Waits for the process that was started to exit, and returns its code.
    ///
    /// # Panics
    ///
    /// Panics if it does not end, or if a signal ended it.
    #[track_caller]
    pub fn exit_code(&self) -> i32 {
        let status = self.exit_status();
        match status.code() {
            Some(code) => code,
            None => panic!("{} was killed by signal {:?}", self.pid, status.signal()),
        }
    }

    /// Waits until no process of the program is left.
    ///
    /// # Panics
    ///
    /// Panics if one stays.
    #[track_caller]
    pub fn everybody_is_gone(&self) {
        // The last holder of the pipe is the last process.
        self.lines.wait_for_end();
        let left = self.processes();
        assert!(left.is_empty(), "{left:?} are left");
    }

    fn status(&self) -> Option<ExitStatus> {
        *self.end.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("{} printed:\n{}{}", self.pid, self.stdout, self.lines);
        }
        if self.status().is_none() {
            let _ = signal::kill(self.pid, Signal::SIGKILL);
        }
        // Not the workers' own way to end: a failed test leaves nothing behind either.
        for pid in self.processes() {
            let _ = signal::kill(pid, Signal::SIGKILL);
        }
    }
}
