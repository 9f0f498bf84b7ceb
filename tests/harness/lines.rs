//! Lines that a process prints, or messages that it sends, as they come.

use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use super::LIMIT;

/// Everything that has come so far. Every clone is the same.
#[derive(Clone, Default)]
pub struct Lines(Arc<(Mutex<State>, Condvar)>);

#[derive(Default)]
struct State {
    lines: Vec<Line>,
    ended: bool,
}

struct Line {
    text: String,
    /// Some wait has returned it.
    taken: bool,
}

impl Lines {
    /// Collects the lines of a pipe in a thread, until nobody holds its other end any more.
    pub fn of(pipe: impl Read + Send + 'static) -> Self {
        let lines = Self::default();
        let collected = lines.clone();
        thread::spawn(move || {
            for line in BufReader::new(pipe).split(b'\n') {
                let Ok(line) = line else { break };
                collected.push(String::from_utf8_lossy(&line).into_owned());
            }
            collected.end();
        });
        lines
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

impl std::fmt::Display for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.all()
            .iter()
            .try_for_each(|line| writeln!(f, "  {line}"))
    }
}
