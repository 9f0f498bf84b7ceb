//! Lines that a process prints, or messages that it sends, as they come.

use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::LIMIT;

/// Everything that has come so far. Every clone is the same.
#[derive(Clone, Default)]
pub struct Lines(Arc<(Mutex<State>, Condvar)>);

#[derive(Default)]
struct State {
    lines: Vec<Line>,
    ended: bool,
    /// The pipe that lines come from, to ask whether more are there.
    pipe: Option<OwnedFd>,
}

struct Line {
    text: String,
    /// Some wait has returned it.
    taken: bool,
}

impl Lines {
    /// Collects the lines of a pipe in a thread, until nobody holds its other end any more.
    ///
    /// # Panics
    ///
    /// Panics if the pipe cannot have a second descriptor.
    pub fn of(mut pipe: impl Read + AsFd + Send + 'static) -> Self {
        let lines = Self::default();
        let copy = pipe.as_fd().try_clone_to_owned();
        lines.state().pipe = Some(copy.expect("one descriptor more"));
        let collected = lines.clone();
        thread::spawn(move || {
            let mut rest = Vec::new();
            while wait_for_more(pipe.as_fd()) && collected.read(&mut pipe, &mut rest) {}
            if !rest.is_empty() {
                collected.push(String::from_utf8_lossy(&rest).into_owned());
            }
            collected.end();
        });
        lines
    }

    /// Adds the lines that are in the pipe; `false` at its end.
    ///
    /// What has left the pipe has been added when somebody else has the lock.
    fn read(&self, pipe: &mut impl Read, rest: &mut Vec<u8>) -> bool {
        let mut buffer = [0; 8192];
        let mut state = self.state();
        let Ok(count @ 1..) = pipe.read(&mut buffer) else {
            return false;
        };
        rest.extend_from_slice(&buffer[..count]);
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let text = String::from_utf8_lossy(&rest[..end]).into_owned();
            rest.drain(..=end);
            let taken = false;
            state.lines.push(Line { text, taken });
        }
        drop(state);
        self.0.1.notify_all();
        true
    }

    /// Waits until all has come that was written before.
    ///
    /// For what a process has said that is known to have ended: the thread that collects may not have
    /// had its turn yet.
    pub fn catch_up(&self) {
        let deadline = Instant::now() + LIMIT;
        let mut state = self.state();
        while !state.ended
            && state
                .pipe
                .as_ref()
                .is_some_and(|pipe| has_more(pipe.as_fd()))
        {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "nobody reads the lines");
            state = self
                .0
                .1
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Collects nothing: the lines go elsewhere.
    pub fn none() -> Self {
        let lines = Self::default();
        lines.end();
        lines
    }

    /// Adds a line.
    pub fn push(&self, text: String) {
        let taken = false;
        self.state().lines.push(Line { text, taken });
        self.0.1.notify_all();
    }

    /// Says that no more will come.
    pub fn end(&self) {
        self.state().ended = true;
        self.0.1.notify_all();
    }

    /// Waits for a line that contains `text` and returns it.
    ///
    /// No line is returned twice: a second call waits for the next one. Lines of several processes
    /// come in no order, so others are passed over and can still be waited for.
    ///
    /// # Panics
    ///
    /// Panics if no such line comes.
    #[track_caller]
    pub fn wait_for(&self, text: &str) -> String {
        self.wait_for_any(&[text])
    }

    /// Waits for a line that contains one of these texts and returns it.
    ///
    /// # Panics
    ///
    /// Panics if no such line comes.
    #[track_caller]
    pub fn wait_for_any(&self, texts: &[&str]) -> String {
        let deadline = Instant::now() + LIMIT;
        let mut state = self.state();
        loop {
            let found = state
                .lines
                .iter_mut()
                .find(|line| !line.taken && texts.iter().any(|text| line.text.contains(text)));
            if let Some(line) = found {
                line.taken = true;
                return line.text.clone();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if state.ended || left.is_zero() {
                let why = if state.ended { "the end" } else { "the limit" };
                drop(state);
                panic!("{texts:?} was waited for until {why}; what came:\n{self}");
            }
            state = self
                .0
                .1
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Waits until no more can come: nobody holds the pipe any more.
    ///
    /// # Panics
    ///
    /// Panics if somebody goes on holding it.
    #[track_caller]
    pub fn wait_for_end(&self) {
        let state = self.state();
        let (state, _) = self
            .0
            .1
            .wait_timeout_while(state, LIMIT, |state| !state.ended)
            .unwrap_or_else(PoisonError::into_inner);
        let ended = state.ended;
        drop(state);
        assert!(ended, "somebody holds the pipe still; what came:\n{self}");
    }

    /// Returns every line that has come so far.
    pub fn all(&self) -> Vec<String> {
        self.state()
            .lines
            .iter()
            .map(|line| line.text.clone())
            .collect()
    }

    /// Returns every line so far that contains `text`.
    pub fn with(&self, text: &str) -> Vec<String> {
        let mut lines = self.all();
        lines.retain(|line| line.contains(text));
        lines
    }

    /// Returns how many lines so far contain `text` and were returned by no wait.
    pub fn untaken(&self, text: &str) -> usize {
        let state = self.state();
        let untaken = |line: &&Line| !line.taken && line.text.contains(text);
        state.lines.iter().filter(untaken).count()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until a pipe has something to read, or has come to its end.
fn wait_for_more(pipe: BorrowedFd<'_>) -> bool {
    loop {
        let mut asked = [PollFd::new(pipe, PollFlags::POLLIN)];
        match poll(&mut asked, PollTimeout::NONE) {
            Err(Errno::EINTR) => {}
            answer => return answer.is_ok(),
        }
    }
}

/// Returns whether there is something to read in a pipe now.
fn has_more(pipe: BorrowedFd<'_>) -> bool {
    let mut asked = [PollFd::new(pipe, PollFlags::POLLIN)];
    let answer = poll(&mut asked, PollTimeout::ZERO);
    let found = asked[0].revents().unwrap_or(PollFlags::empty());
    answer.is_ok() && found.contains(PollFlags::POLLIN)
}

impl std::fmt::Display for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.all()
            .iter()
            .try_for_each(|line| writeln!(f, "  {line}"))
    }
}
