//! The listening sockets: bound when a worker asks, closed when nobody uses them any more.

use std::collections::BTreeSet;

use super::policy::{Machine, WorkerId};
use super::service_manager::ServiceManager;
use super::workers::Workers;
use crate::error_chain::chain;
use crate::ipc::protocol::ToWorker;
use crate::listen::{Held, ListenOptions, Listeners, SocketId};
use crate::upgrade::kept_sockets;

/// What the program listens on.
pub(super) struct Sockets {
    listeners: Listeners,
    /// Whether some sockets may be in use no more.
    may_be_unused: bool,
    /// The sockets that the service manager is to forget when this process has taken over.
    to_forget: Vec<String>,
}

impl Sockets {
    /// Takes what the process was given; `may_be_unused` if another configuration may have asked for it.
    pub(super) fn new(listeners: Listeners, may_be_unused: bool) -> Self {
        Self {
            listeners,
            may_be_unused,
            to_forget: Vec::new(),
        }
    }

    pub(super) fn listeners(&self) -> &Listeners {
        &self.listeners
    }

    /// Takes all sockets out, in a process that has just been forked.
    pub(super) fn take(&mut self) -> Listeners {
        std::mem::take(&mut self.listeners)
    }

    /// Returns the sockets that the service manager is to forget when this process has taken over.
    pub(super) fn to_forget(&self) -> &[String] {
        &self.to_forget
    }

    /// Gives a worker the socket that it asks for.
    ///
    /// # Errors
    ///
    /// Returns an error, which the worker has been told too, if the socket cannot be had.
    pub(super) fn give(
        &mut self,
        workers: &mut Workers,
        id: WorkerId,
        question: u32,
        options: &str,
        manager: &ServiceManager,
    ) -> Result<(), String> {
        let Some(process) = workers.get_mut(id) else {
            return Ok(());
        };
        let slot = process.slot();
        let known: BTreeSet<SocketId> = self.listeners.iter().map(Held::id).collect();
        let bound = ListenOptions::from_wire(options)
            .map_err(|error| chain(&error))
            .and_then(|options| {
                let bound = self.listeners.bind(&options, Some(slot.index));
                bound.map_err(|error| chain(&error))
            });
        // What cannot be sent is told by the process, and ends the worker.
        match bound {
            Ok(held) => {
                process.add_socket(held.id());
                if !known.contains(&held.id()) {
                    manager.store(held);
                }
                let answer = ToWorker::Listening { id: question };
                let _ = process.send(&answer, &[held.fd()]);
                Ok(())
            }
            Err(text) => {
                process.set_error(text.clone());
                let answer = ToWorker::Refused {
                    id: question,
                    text: text.clone(),
                };
                let _ = process.send(&answer, &[]);
                Err(text)
            }
        }
    }

    /// Notes that a worker listens on a socket that came along with its fork.
    pub(super) fn note_use(&self, workers: &mut Workers, id: WorkerId, options: &str) {
        let Ok(options) = ListenOptions::from_wire(options) else {
            return;
        };
        if let Some(process) = workers.get_mut(id)
            && let Some(held) = self.listeners.held(&options, Some(process.slot().index))
        {
            process.add_socket(held.id());
        }
    }

    /// Has the sockets looked through once every worker has said what it listens on.
    pub(super) fn review(&mut self) {
        self.may_be_unused = true;
    }

    /// Closes the sockets from which nobody accepts any more.
    ///
    /// Those of an address that was given up are closed when all workers are those of the last
    /// configuration: a client is refused then, and does not wait for ever. What the service manager is to
    /// forget of them is kept for later while this process does not speak for the program yet.
    pub(super) fn close_unused(
        &mut self,
        machine: &Machine,
        workers: &Workers,
        manager: &ServiceManager,
        is_taking_over: bool,
    ) {
        self.listeners.close_slots(|slot| !machine.uses(slot));
        if !self.may_be_unused || !have_all_told(machine) {
            return;
        }
        self.may_be_unused = false;
        let staying = workers.iter().filter(|(id, _)| !machine.is_leaving(*id));
        let used: BTreeSet<SocketId> = staying
            .flat_map(|(_, process)| process.sockets().iter().copied())
            .collect();
        for held in self.listeners.close_bound(|id| !used.contains(&id)) {
            let address = held.address();
            tracing::info!(%address, "no service listens on this any more: closed");
            let Some(name) = kept_sockets::name(manager.notifier(), &held) else {
                continue;
            };
            if is_taking_over {
                self.to_forget.push(name);
            } else {
                manager.notifier().forget(&name);
            }
        }
    }

    /// Closes all sockets here: the last worker that accepts decides when clients are refused.
    pub(super) fn close_all(&mut self) {
        self.listeners.close_all();
    }

    pub(super) fn remove_files(&self) {
        self.listeners.remove_socket_files();
    }
}

/// Returns whether every worker has said what it listens on: one that is not ready yet may not have.
fn have_all_told(machine: &Machine) -> bool {
    let (active, ready) = machine.counts();
    machine.is_serving() && active == ready && !machine.is_reloading()
}
