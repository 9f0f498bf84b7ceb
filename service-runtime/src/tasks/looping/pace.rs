//! What a pace is: it decides when a loop runs, and knows nothing of waiting, running or reporting.

use std::time::Duration;

use tokio::time::Instant;

/// Decides when a loop runs.
pub(in crate::tasks) trait Pace: Send + 'static {
    /// What a run that goes on tells the pace.
    type Hint: Send;

    /// Returns when the first run is due, of a loop that begins at `now`: after its initial delay.
    fn first(&mut self, now: Instant) -> Instant;

    /// Decides what to do now that the loop has woken for the run that was due.
    fn woken(&mut self, _now: Instant) -> Woken {
        Woken::Run { missed: 0 }
    }

    /// Returns when the next run is due, after one that took from `started` to `ended`.
    fn after(&mut self, started: Instant, ended: Instant, run: Run<Self::Hint>) -> Next;
}

/// What to do on waking.
pub(in crate::tasks) enum Woken {
    /// Run. That many ticks before this one were missed.
    Run { missed: u64 },
    /// It is too early: wait until then.
    #[cfg(feature = "cron")]
    Wait(Instant),
}

/// How a run went.
pub(in crate::tasks) enum Run<H> {
    /// It went on with this.
    Went(H),
    /// It returned an error, and the policy is to go on.
    Failed,
    /// The gate was shut, so there was none.
    Gated,
}

/// What comes after a run.
pub(in crate::tasks) enum Next {
    /// Another run.
    Run(Due),
    /// None, because all this time is used up.
    TimedOut(Duration),
}

/// When a run is due.
pub(in crate::tasks) struct Due {
    pub(in crate::tasks) at: Instant,
    /// How many ticks were missed in between.
    pub(in crate::tasks) missed: u64,
    /// The interval, if the run before has outlasted it.
    pub(in crate::tasks) outlasted: Option<Duration>,
}

impl Next {
    /// Another run, with nothing missed.
    pub(in crate::tasks) fn at(at: Instant) -> Self {
        Self::Run(Due {
            at,
            missed: 0,
            outlasted: None,
        })
    }
}

/// Adds, and where the clock would overflow stops at thirty years from `from`.
pub(in crate::tasks) fn later(from: Instant, by: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);
    from.checked_add(by)
        .unwrap_or_else(|| from.checked_add(FAR).unwrap_or(from))
}
