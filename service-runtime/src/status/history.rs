//! What happened lately: signals, deaths of workers, the last reload.

use std::collections::VecDeque;
#[cfg(workers)]
use std::time::Duration;
use std::time::Instant;

use super::row::Row;

/// How much is remembered of each.
const LATEST: usize = 20;

/// What a report tells of the time before it.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    signals: VecDeque<(Instant, String, String)>,
    #[cfg(workers)]
    deaths: VecDeque<(Instant, WorkerDeath)>,
    reload: Option<(Instant, String)>,
    #[cfg(all(feature = "control", workers))]
    orders: VecDeque<(Instant, [String; 3])>,
}

/// The end of a worker.
#[cfg(workers)]
#[derive(Debug, Clone)]
pub(crate) struct WorkerDeath {
    pub(crate) pid: i32,
    pub(crate) slot: usize,
    /// The service whose worker it was; `None` for one that several services share.
    pub(crate) pool: Option<String>,
    pub(crate) generation: u64,
    /// How long it lived.
    pub(crate) age: Duration,
    pub(crate) how: String,
    /// Whether it was told to end.
    pub(crate) expected: bool,
    pub(crate) error: Option<String>,
}

impl History {
    /// Remembers a signal.
    pub(crate) fn signal(&mut self, signal: impl ToString, sender: impl ToString) {
        let seen = (Instant::now(), signal.to_string(), sender.to_string());
        push(&mut self.signals, seen);
    }

    /// Remembers the end of a worker.
    #[cfg(workers)]
    pub(crate) fn death(&mut self, death: WorkerDeath) {
        push(&mut self.deaths, (Instant::now(), death));
    }

    /// Remembers how the last reload goes, or went.
    pub(crate) fn reload(&mut self, outcome: impl Into<String>) {
        self.reload = Some((Instant::now(), outcome.into()));
    }

    /// Returns how the last reload goes, or went.
    #[cfg(all(feature = "control", workers))]
    pub(crate) fn last_reload(&self) -> Option<&str> {
        self.reload.as_ref().map(|(_, outcome)| outcome.as_str())
    }

    /// Remembers an order, who gave it, and what became of it.
    #[cfg(all(feature = "control", workers))]
    pub(crate) fn order(&mut self, what: String, sender: String, outcome: String) {
        push(&mut self.orders, (Instant::now(), [what, sender, outcome]));
    }

    /// Returns a row for each.
    pub(super) fn rows(&self) -> Vec<Row> {
        let reload = self.reload.iter().map(|(at, outcome)| {
            let row = Row::one("reload").with("outcome", outcome.as_str());
            row.with("ago", at.elapsed())
        });
        let signals = self.signals.iter().map(|(at, signal, sender)| {
            Row::of_many("signal", "signals")
                .with("name", signal.as_str())
                .with("sender", sender.as_str())
                .with("ago", at.elapsed())
        });
        #[cfg(workers)]
        let signals = signals.chain(self.deaths.iter().map(|(at, death)| {
            Row::of_many("death", "deaths")
                .with("slot", death.slot)
                .with("of", death.pool.clone())
                .with("pid", death.pid)
                .with("generation", death.generation)
                .with("age", death.age)
                .with("how", death.how.as_str())
                .with("expected", death.expected)
                .with("error", death.error.clone())
                .with("ago", at.elapsed())
        }));
        #[cfg(all(feature = "control", workers))]
        let signals = signals.chain(self.orders.iter().map(|(at, [what, sender, outcome])| {
            Row::of_many("order", "orders")
                .with("what", what.as_str())
                .with("sender", sender.as_str())
                .with("outcome", outcome.as_str())
                .with("ago", at.elapsed())
        }));
        reload.chain(signals).collect()
    }
}

fn push<T>(list: &mut VecDeque<T>, item: T) {
    if list.len() == LATEST {
        list.pop_front();
    }
    list.push_back(item);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_latest_twenty_are_remembered() {
        let mut history = History::default();
        for number in 0..30 {
            history.signal(number, "pid 1, uid 0");
        }
        history.reload("reloaded");
        let rows = history.rows();
        assert_eq!(rows.len(), LATEST + 1);
        assert!(
            rows[1]
                .write(crate::ReportFormat::Text)
                .starts_with("signal name=10 ")
        );
    }
}
