//! Whether a worker is up: a pure function of its stamps, what it says and what operators say.

use std::fmt;

/// What a worker that serves a service is to its peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum MemberState {
    /// It serves.
    Up,
    /// It serves, and has no room for more at the moment.
    Busy,
    /// It serves, and an operator wants no new work on its host.
    Disabled,
    /// It stops: it finishes what it has, and takes nothing new.
    Draining,
    /// It is dead, cannot be reached, or an operator says so.
    Down,
}

impl MemberState {
    /// Returns whether the worker lives, whatever else it does.
    pub fn is_alive(self) -> bool {
        self != Self::Down
    }

    /// Returns whether it may be given new work.
    pub fn takes_work(self) -> bool {
        self == Self::Up
    }
}

impl fmt::Display for MemberState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Up => "up",
            Self::Busy => "busy",
            Self::Disabled => "disabled",
            Self::Draining => "draining",
            Self::Down => "down",
        })
    }
}

/// What a worker says of itself with each beat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum ReportedState {
    #[default]
    Up,
    Busy,
    Draining,
}

impl ReportedState {
    /// Returns the word of it in the store.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Busy => "busy",
            Self::Draining => "draining",
        }
    }

    /// Reads the word; one of a newer program is taken for busy: it lives, and gets nothing new.
    pub(crate) fn read(word: &str) -> Self {
        match word {
            "up" => Self::Up,
            "draining" => Self::Draining,
            _ => Self::Busy,
        }
    }
}

/// Stamps of the store's clock, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamps {
    /// When its last beat was written, if any was.
    pub(crate) seen: Option<i64>,
    pub(crate) created: i64,
}

/// All that a state follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signs {
    pub(crate) stamps: Stamps,
    pub(crate) reported_state: ReportedState,
    pub(crate) disabled: bool,
    pub(crate) forced_down: bool,
    /// Whether it ran on this boot of this machine, and its process is gone.
    pub(crate) process_gone: bool,
}

impl Stamps {
    /// Returns whether the last beat is at most `down_after` away from now, in either direction.
    ///
    /// Who was never seen is taken by when it was created. What else has changed a row counts nothing: to
    /// disable a dead host must not revive it.
    pub(crate) fn are_fresh(self, now: i64, down_after: u64) -> bool {
        now.abs_diff(self.seen.unwrap_or(self.created)) <= down_after
    }
}

impl Signs {
    /// Returns the state; what speaks most against new work wins.
    pub(crate) fn state(self, now: i64, down_after: u64) -> MemberState {
        if self.forced_down || self.process_gone || !self.stamps.are_fresh(now, down_after) {
            return MemberState::Down;
        }
        match self.reported_state {
            ReportedState::Draining => MemberState::Draining,
            _ if self.disabled => MemberState::Disabled,
            ReportedState::Busy => MemberState::Busy,
            ReportedState::Up => MemberState::Up,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOWN_AFTER: u64 = 60_000;
    const NOW: i64 = 1_000_000;

    fn signs(seen: Option<i64>, created: i64) -> Signs {
        Signs {
            stamps: Stamps { seen, created },
            reported_state: ReportedState::Up,
            disabled: false,
            forced_down: false,
            process_gone: false,
        }
    }

    #[test]
    fn the_truth_table_of_a_host_that_is_up_holds() {
        let state = |seen: Option<i64>, created| signs(seen, created).state(NOW, DOWN_AFTER);
        use MemberState::{Down, Up};
        assert_eq!(state(Some(NOW), 0), Up);
        // Exactly as long ago as is allowed, and a millisecond more.
        assert_eq!(state(Some(NOW - 60_000), 0), Up);
        assert_eq!(state(Some(NOW - 60_001), 0), Down);
        // The future is as bad as the past.
        assert_eq!(state(Some(NOW + 60_000), 0), Up);
        assert_eq!(state(Some(NOW + 60_001), 0), Down);
        // Never seen: when it was created counts, and only then.
        assert_eq!(state(None, NOW - 60_000), Up);
        assert_eq!(state(None, NOW - 60_001), Down);
        assert_eq!(state(Some(NOW - 60_001), NOW), Down);
        // Stamps that no clock shows are down, and nothing overflows.
        assert_eq!(state(Some(i64::MIN), 0), Down);
        assert_eq!(state(Some(i64::MAX), 0), Down);
    }

    #[test]
    fn who_is_forced_down_is_down_whatever_its_beats_say() {
        let forced = Signs {
            forced_down: true,
            ..signs(Some(NOW), 0)
        };
        assert_eq!(forced.state(NOW, DOWN_AFTER), MemberState::Down);
    }

    #[test]
    fn a_dead_process_of_this_boot_is_down_before_its_beat_is_old() {
        let gone = Signs {
            process_gone: true,
            ..signs(Some(NOW), 0)
        };
        assert_eq!(gone.state(NOW, DOWN_AFTER), MemberState::Down);
    }

    #[test]
    fn of_several_states_the_one_that_speaks_most_against_new_work_counts() {
        let state = |reported_state, disabled| {
            let signs = Signs {
                reported_state,
                disabled,
                ..signs(Some(NOW), 0)
            };
            signs.state(NOW, DOWN_AFTER)
        };
        assert_eq!(state(ReportedState::Up, false), MemberState::Up);
        assert_eq!(state(ReportedState::Busy, false), MemberState::Busy);
        assert_eq!(state(ReportedState::Busy, true), MemberState::Disabled);
        assert_eq!(state(ReportedState::Up, true), MemberState::Disabled);
        assert_eq!(state(ReportedState::Draining, true), MemberState::Draining);
        assert_eq!(
            ReportedState::read("a word of tomorrow"),
            ReportedState::Busy
        );
    }
}
