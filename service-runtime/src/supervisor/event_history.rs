//! The latest events, for those who follow them over the control socket.

use std::collections::VecDeque;

/// How many events are kept for those who come late, or come again.
const KEPT: usize = 256;

/// The latest events, numbered from 1 on.
#[derive(Debug, Default)]
pub(super) struct ControlEvents {
    last: u32,
    kept: VecDeque<(u32, String)>,
    /// Whether the control process of the moment wants to hear of each.
    pub(super) is_followed: bool,
}

impl ControlEvents {
    /// Keeps an event, and returns its number.
    pub(super) fn push(&mut self, event: String) -> u32 {
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.last = self.last.wrapping_add(1);
        self.kept.push_back((self.last, event));
        self.last
    }

    /// Returns the events after the one of this number, as far as they are kept.
    pub(super) fn after(&self, number: u32) -> Vec<(u32, String)> {
        let later = self.kept.iter().filter(|(id, _)| *id > number);
        later.cloned().collect()
    }
}
