//! What a service of a cluster holds: its store, its record's key, its worker's entry.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio_util::sync::CancellationToken;

use super::config::{self, MembershipConfig, StoreConfig};
use super::liveness::ReportedState;
use super::member::Entry;
use super::process_identity::ProcessIdentity;
use super::program::{self, Program};
use super::record::{RecordError, RecordKey};
use super::store::{Store, StoreError};
use crate::config::ConfigErrors;
use crate::metrics;
use crate::service::Context;

/// Why something of the cluster cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// The program does not say that it is part of one.
    #[error(
        "the program is not part of a cluster: write `service_runtime::cluster!();` beside its `main`"
    )]
    NotDeclared,
    /// The tables `[store]` or `[membership]` are wrong.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// The store does not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The service cannot have its record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A peer is older than this program can work with.
    #[error(
        "the cluster has version {lowest} of `{service}`, and this program works with version {oldest_peer} \
         and newer: upgrade that one first, or set `[membership] allow_old_peers`"
    )]
    PeerTooOld {
        /// The service.
        service: String,
        /// The lowest version that is recorded.
        lowest: u64,
        /// The oldest version that this program works with.
        oldest_peer: u64,
    },
}

/// A service's part in the cluster; one for each service of a process.
pub(crate) struct Cluster {
    pub(super) service: String,
    pub(super) program: Program,
    pub(super) store: Store,
    pub(super) required: bool,
    pub(super) config: MembershipConfig,
    pub(super) record: RecordKey,
    pub(super) entry: Entry,
    /// Held while the entry is written, so that nothing writes it after it has left.
    pub(super) membership: tokio::sync::Mutex<Membership>,
    pub(super) reported_state: Mutex<ReportedState>,
    /// Wakes the beat when the worker has something else to say.
    pub(super) changed: tokio::sync::Notify,
    /// Why the last beat could not be written.
    pub(super) trouble: Mutex<Option<String>>,
    /// Cancelled when the service gives back what it holds.
    pub(super) ending: CancellationToken,
}

/// Where a worker is on its way through the membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Membership {
    NotJoined,
    Joined,
    Left,
}

impl Cluster {
    /// Returns the part of a service, made at the first call.
    pub(crate) fn of(cx: &Context) -> Result<Arc<Self>, ClusterError> {
        cx.extension(|| Self::new(cx))
    }

    /// Returns whether the program is part of a cluster.
    pub(crate) fn is_declared(cx: &Context) -> bool {
        program::declared().is_some()
            && cx
                .snapshot()
                .sections()
                .any(|section| section.name() == config::STORE)
    }

    fn new(cx: &Context) -> Result<Self, ClusterError> {
        let program = program::declared()
            .filter(|_| Self::is_declared(cx))
            .ok_or(ClusterError::NotDeclared)?;
        let snapshot = cx.snapshot();
        let store: StoreConfig = snapshot.section(config::STORE)?;
        let membership: MembershipConfig = snapshot.section(config::MEMBERSHIP)?;
        let base = config::state_directory(cx.program());
        let host = membership.host();
        let service = cx.name().to_owned();
        let entry = Entry {
            service: service.clone(),
            host: host.clone(),
            slot: cx.slot(),
            generation: cx.generation(),
            process: ProcessIdentity::own(),
            version: program.version,
        };
        Ok(Self {
            record: RecordKey {
                host,
                service: service.clone(),
            },
            service,
            program,
            store: Store::new(store.url.as_deref().unwrap_or("sqlite:"), &base, cx.tasks())?,
            required: store.required,
            config: membership,
            entry,
            membership: tokio::sync::Mutex::new(Membership::NotJoined),
            reported_state: Mutex::default(),
            changed: tokio::sync::Notify::new(),
            trouble: Mutex::default(),
            ending: CancellationToken::new(),
        })
    }

    /// Returns after which silence a worker counts as down.
    pub(super) fn down_after(&self) -> Duration {
        self.config.effective_down_after()
    }

    /// Says something else with the next beat, which comes at once.
    pub(super) fn report_state(&self, reported_state: ReportedState) {
        let mut now = self
            .reported_state
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // Who drains has no room again later.
        if *now != reported_state && *now != ReportedState::Draining {
            *now = reported_state;
            self.changed.notify_one();
        }
    }

    pub(super) fn reported_state(&self) -> ReportedState {
        *self
            .reported_state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of how a beat went; the log hears of the first failure, and of the end of it.
    pub(super) fn beat_went(&self, result: &Result<(), ClusterError>) {
        let outcome = if result.is_ok() { "done" } else { "failed" };
        let labels = [("service", &*self.service), ("outcome", outcome)];
        metrics::count("service_membership_beats_total", &labels, 1);
        if result.is_ok() {
            let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            let since = since.unwrap_or_default().as_secs_f64();
            let labels = [("service", &*self.service)];
            metrics::set("service_membership_last_beat_seconds", &labels, since);
        }
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        match (result, trouble.is_some()) {
            (Ok(()), true) => {
                tracing::info!(service = self.service, "the store takes beats again");
            }
            (Err(error), false) => {
                tracing::error!(
                    service = self.service,
                    "a beat cannot be written, peers will take this worker for down: {error}"
                );
            }
            (Ok(()), false) | (Err(_), true) => {}
        }
        *trouble = result.as_ref().err().map(ToString::to_string);
    }

    /// Returns why peers do not see this worker, if they do not.
    #[cfg(feature = "http")]
    pub(crate) fn trouble(&self) -> Option<String> {
        let trouble = self.trouble.lock();
        trouble.unwrap_or_else(PoisonError::into_inner).clone()
    }
}
