//! What is under way: of a reload a rollout to other workers, or a mutation of those that stay; and orders
//! whose outcome is waited for.

use std::collections::VecDeque;

use super::{OrderId, Policy, PoolId, Time, WorkerId};

/// A replacement of the workers of all slots by those of another generation.
#[derive(Debug)]
pub(super) struct Rollout {
    /// The generation that the slots get.
    pub(super) to: u64,
    /// The generation that they had.
    pub(super) from: u64,
    /// The settings that count when it is done.
    pub(super) policy: Policy,
    /// The slots still to be replaced.
    pub(super) todo: VecDeque<usize>,
    /// Whether this takes a failed reload back.
    pub(super) undoing: bool,
    /// No successor is forked before this time.
    pub(super) not_before: Option<Time>,
    /// Failed successors in a row, while undoing.
    pub(super) failed: u32,
    /// The slots that were not in use before.
    pub(super) added: Vec<usize>,
    /// The slots whose new worker has nothing to do: they are given up when all is done.
    pub(super) given_up: Vec<usize>,
}

impl Rollout {
    /// Returns when the rollout wants to be looked at.
    pub(super) fn wake_up(&self) -> Option<Time> {
        self.not_before
    }

    /// Gives up a slot when all is done, if its new worker of this generation has nothing to do.
    pub(super) fn give_up(&mut self, slot: usize, generation: u64) -> bool {
        let is_its = generation == self.to && !self.undoing;
        if is_its {
            self.given_up.push(slot);
        }
        is_its
    }

    /// Returns the settings that count when it is done.
    pub(super) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Replaces one slot more.
    pub(super) fn add(&mut self, slot: usize) {
        if !self.todo.contains(&slot) {
            self.todo.push_back(slot);
        }
    }
}

/// A mutation that workers have not all answered to.
#[derive(Debug)]
pub(super) struct Mutation {
    /// Who has not.
    pub(super) waiting: Vec<WorkerId>,
    /// Until when they may.
    pub(super) until: Option<Time>,
    /// How many could not, or did not say so in time.
    pub(super) refused: usize,
}

impl Mutation {
    /// Returns when it wants to be looked at.
    pub(super) fn wake_up(&self) -> Option<Time> {
        self.until
    }
}

/// An order that has no outcome yet.
#[derive(Debug)]
pub(super) struct PendingOrder {
    pub(super) id: OrderId,
    pub(super) waits: Waits,
}

/// What an order waits for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Waits {
    /// The reload that begins next.
    NextReload,
    /// The reload that is under way.
    Reload,
    Upgrade,
    Number(PoolId, usize),
    Ends(Vec<WorkerId>),
    Empty(usize),
    Filled(usize),
}
