//! The one path from what happened to what is done about it.
//!
//! Events are queued. The machine gets the next one only when the actions of the one before have been
//! carried out; what comes of an action is queued behind what waits already. The supervisor and the
//! simulation run this same code, each over a [`System`] of its own.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use super::{Action, Event, Machine, Policy, Time, WorkerId};

/// What carries actions out: the operating system, or the simulation of one.
pub(crate) trait System {
    /// What ends the loop.
    type Exit;

    /// Returns the time, which never goes back.
    fn now(&self) -> Time;

    /// Reads when the runtime of each worker last answered.
    fn heartbeats(&self, now: Time) -> Vec<(WorkerId, Time)>;

    /// Carries one action out, and queues what came of it.
    fn carry_out(
        &mut self,
        machine: &Machine,
        action: Action,
        queue: &mut EventQueue,
    ) -> ControlFlow<Self::Exit>;

    /// Is called after each event, when all of its actions have been carried out.
    fn event_handled(&mut self, machine: &Machine);
}

/// The events that wait for the machine, oldest first.
#[derive(Debug, Default)]
pub(crate) struct EventQueue(VecDeque<Event>);

impl EventQueue {
    /// Queues an event behind those that wait.
    pub(crate) fn push(&mut self, event: Event) {
        self.0.push_back(event);
    }
}

/// The machine with the events that wait for it.
#[derive(Debug)]
pub(crate) struct Decisions {
    machine: Machine,
    queue: EventQueue,
}

impl Decisions {
    /// Starts with a machine to which nothing has happened yet.
    pub(crate) fn new(policy: Policy) -> Self {
        Self {
            machine: Machine::new(policy),
            queue: EventQueue::default(),
        }
    }

    /// Returns the machine, to look at.
    pub(crate) fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Takes in an event, and all that comes of it, until no event waits.
    pub(crate) fn handle<S: System>(
        &mut self,
        event: Event,
        system: &mut S,
    ) -> ControlFlow<S::Exit> {
        self.queue.push(event);
        while let Some(event) = self.queue.0.pop_front() {
            let now = system.now();
            if self.machine.wants_heartbeats(now) {
                let heartbeats = Event::Heartbeats(system.heartbeats(now));
                self.step(now, heartbeats, system)?;
            }
            self.step(now, event, system)?;
            system.event_handled(&self.machine);
        }
        ControlFlow::Continue(())
    }

    fn step<S: System>(&mut self, now: Time, event: Event, system: &mut S) -> ControlFlow<S::Exit> {
        for action in self.machine.step(now, event) {
            system.carry_out(&self.machine, action, &mut self.queue)?;
        }
        ControlFlow::Continue(())
    }
}
