//! The listening sockets: bound when a worker asks, closed when nobody uses them any more.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use super::driver::{Driver, Flow};
use super::machine::{Event, WorkerId};
use crate::launch::exit::Exit;
use crate::launch::host::chain;
use crate::launch::kept_sockets;
use crate::launch::protocol::ToWorker;
use crate::listen::{Held, ListenOptions, SocketId};

impl Driver {
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

    /// Closes the sockets of slots that are in use no more: nobody accepts from them.
    pub(super) fn close_unused(&mut self) {
        let machine = &self.machine;
        self.listeners.close_slots(|slot| !machine.uses(slot));
    }

    /// Closes what no worker listens on, now that all of them are those of the last configuration: a
    /// client of an address that was given up is refused, and does not wait for ever.
    pub(super) fn close_given_up(&mut self) {
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
