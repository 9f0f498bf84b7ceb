//! The connections of a server whose sockets are open.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::state::{Connection, Purpose};
use crate::http::shared::Shared;
use crate::listen::Peer;

/// All open connections of a server.
#[derive(Default)]
pub(crate) struct Connections {
    open: Mutex<BTreeMap<u64, Arc<Connection>>>,
    next: AtomicU64,
    one_less: Notify,
}

/// A connection whose socket is open, until this is dropped: by its socket, or by a task that never
/// got as far as to have one.
pub(crate) struct Open {
    connection: Arc<Connection>,
    list: Arc<Connections>,
}

impl Connections {
    /// Adds a connection that was accepted.
    pub(crate) fn add(
        self: &Arc<Self>,
        shared: &Arc<Shared>,
        peer: Peer,
        purpose: Purpose,
    ) -> Open {
        let id = self.next.fetch_add(1, Relaxed);
        let connection = Arc::new(Connection::new(Arc::clone(shared), id, peer, purpose));
        self.lock().insert(id, Arc::clone(&connection));
        shared.metrics.connections(1.0);
        Open {
            connection,
            list: Arc::clone(self),
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Connection>> {
        self.lock().values().cloned().collect()
    }

    /// Waits until none is open; the server drains by then.
    pub(crate) async fn all_closed(&self) {
        loop {
            let one_less = self.one_less.notified();
            tokio::pin!(one_less);
            one_less.as_mut().enable();
            if self.lock().is_empty() {
                return;
            }
            one_less.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Connection>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.list.lock().remove(&self.connection.id);
        self.connection.server.metrics.connections(-1.0);
        // Whoever waits has said that it drains before it has looked how many there are.
        if self.connection.server.is_draining() {
            self.list.one_less.notify_waiters();
        }
    }
}

impl std::ops::Deref for Open {
    type Target = Arc<Connection>;

    fn deref(&self) -> &Arc<Connection> {
        &self.connection
    }
}
