//! The listening sockets: bound when a worker asks, closed when nobody uses them any more.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use super::event_loop::{EventLoop, Flow};
use super::policy::{Event, WorkerId};
use crate::error_chain::chain;
use crate::exit::Exit;
use crate::ipc::protocol::ToWorker;
use crate::listen::{Held, ListenOptions, SocketId};
use crate::upgrade::kept_sockets;

impl EventLoop {
    /// Gives a worker the socket that it asks for.
    pub(super) fn listen(&mut self, id: WorkerId, question: u32, options: &str) -> Flow {
        if self.machine.is_stopping() {
            // It is told to stop as well, and waits for nothing then.
            return ControlFlow::Continue(());
        }
        let Some(process) = self.processes.get_mut(&id) else {
            return ControlFlow::Continue(());
        };
        let slot = Some(process.place.slot);
        let known: BTreeSet<SocketId> = self.listeners.iter().map(Held::id).collect();
        let bound = ListenOptions::from_wire(options)
            .map_err(|error| chain(&error))
            .and_then(|options| {
                let bound = self.listeners.bind(&options, slot);
                bound.map_err(|error| chain(&error))
            });
        let (sent, refused) = match bound {
            Ok(held) => {
                process.uses.insert(held.id());
                if !known.contains(&held.id()) {
                    kept_sockets::store(&self.notifier, held);
                }
                let answer = ToWorker::Listening { id: question };
                (process.send(&answer, &[held.fd()]), None)
            }
            Err(text) => {
                process.error = Some(text.clone());
                let answer = ToWorker::Refused { id: question, text };
                (process.send(&answer, &[]), Some(()))
            }
        };
        if let Err(error) = sent {
            tracing::error!(slot, "cannot answer a worker: {error}");
        }
        match refused {
            Some(()) => self.feed(Event::Hopeless(id, Exit::Failed.code().into())),
            None => ControlFlow::Continue(()),
        }
    }

    /// Notes that a worker listens on a socket that came along with its fork.
    pub(super) fn note_use(&mut self, id: WorkerId, options: &str) {
        let Ok(options) = ListenOptions::from_wire(options) else {
            return;
        };
        if let Some(process) = self.processes.get_mut(&id)
            && let Some(held) = self.listeners.held(&options, Some(process.place.slot))
        {
            process.uses.insert(held.id());
        }
    }

    /// Closes the sockets from which nobody accepts any more.
    pub(super) fn close_unused(&mut self) {
        let machine = &self.machine;
        self.listeners.close_slots(|slot| !machine.uses(slot));
        if self.given_up && self.everybody_has_told() {
            self.given_up = false;
            self.close_given_up();
        }
    }

    /// Returns whether every worker has said what it listens on: one that is not ready yet may not have.
    fn everybody_has_told(&self) -> bool {
        let (active, ready) = self.machine.counts();
        self.machine.is_serving() && active == ready && !self.machine.is_reloading()
    }

    /// Closes what no worker listens on, now that all of them are those of the last configuration: a
    /// client of an address that was given up is refused, and does not wait for ever.
    fn close_given_up(&mut self) {
        let mut used = BTreeSet::new();
        for (id, process) in &self.processes {
            if !self.machine.is_leaving(*id) {
                used.extend(process.uses.iter().copied());
            }
        }
        for held in self.listeners.close_bound(|id| !used.contains(&id)) {
            let address = held.address();
            tracing::info!(%address, "no service listens on this any more: closed");
            if let Some(name) = kept_sockets::name(&self.notifier, &held) {
                if self.predecessor.is_some() {
                    self.forgotten.push(name);
                } else {
                    self.notifier.forget(&name);
                }
            }
        }
    }
}
