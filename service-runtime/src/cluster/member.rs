//! The entries of workers in the store, and what they mean.

use std::time::{Duration, SystemTime};

use super::liveness::{MemberState, ReportedState, Signs, Stamps};
use super::process_identity::ProcessIdentity;
use super::record::time;
use super::store::{Row, Store, StoreError};

const BEAT: &str = "
INSERT INTO service_member
    (id, service, host, slot, generation, pid, started, boot, version, state, seen, created)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, {now}, {now})
ON CONFLICT (id) DO UPDATE SET state = excluded.state, seen = {now}
RETURNING created";
const LEAVE: &str = "DELETE FROM service_member WHERE id = $1 RETURNING id";
const FORGET: &str = "
DELETE FROM service_member
WHERE service = $1 AND host = $2 AND coalesce(seen, created) < {now} - $3
RETURNING id";
const LIST: &str = "
SELECT m.host, m.slot, m.generation, m.pid, m.started, m.boot, m.version, m.state, m.seen, m.created,
    r.disabled, r.forced_down, {now}
FROM service_member m
LEFT JOIN service_record r ON r.host = m.host AND r.service = m.service
WHERE m.service = $1
ORDER BY m.host, m.slot, m.pid";

/// A worker that serves a service.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Member {
    /// The host that it runs on.
    pub host: String,
    /// Its slot; none in a process without a supervisor.
    pub slot: Option<usize>,
    /// Its generation.
    pub generation: u64,
    /// Its process.
    pub pid: u32,
    /// The version of its program.
    pub version: u64,
    /// Its state.
    pub state: MemberState,
    /// When its last beat was written, by the store's clock.
    pub seen: SystemTime,
}

/// This worker's own entry.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) service: String,
    pub(super) host: String,
    pub(super) slot: Option<usize>,
    pub(super) generation: u64,
    pub(super) process: ProcessIdentity,
    pub(super) version: u64,
}

impl Entry {
    /// Writes that the worker lives, and what it says of itself.
    pub(super) async fn beat(
        &self,
        store: &Store,
        reported_state: ReportedState,
    ) -> Result<(), StoreError> {
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let slot = self.slot.and_then(|slot| i64::try_from(slot).ok());
        let values = vec![
            self.id().as_str().into(),
            self.service.as_str().into(),
            self.host.as_str().into(),
            slot.into(),
            number(self.generation).into(),
            self.process.pid.into(),
            self.process.started.into(),
            self.process.boot.as_str().into(),
            number(self.version).into(),
            reported_state.word().into(),
        ];
        store.query(BEAT, values).await.map(drop)
    }

    /// Removes the entry.
    pub(super) async fn leave(&self, store: &Store) -> Result<(), StoreError> {
        let values = vec![self.id().as_str().into()];
        store.query(LEAVE, values).await.map(drop)
    }

    /// Removes the entries of the service on this host that have been silent for so long.
    pub(super) async fn forget(&self, store: &Store, after: Duration) -> Result<(), StoreError> {
        let after = i64::try_from(after.as_millis()).unwrap_or(i64::MAX / 4);
        let values = vec![
            self.service.as_str().into(),
            self.host.as_str().into(),
            after.into(),
        ];
        store.query(FORGET, values).await.map(drop)
    }

    /// Returns what the entry is told apart by: no two processes ever have the same.
    pub(super) fn id(&self) -> String {
        let ProcessIdentity { pid, started, boot } = &self.process;
        format!("{}@{} {pid} {started} {boot}", self.service, self.host)
    }
}

/// Returns the workers that serve a service, by host and slot.
pub(super) async fn list(
    store: &Store,
    service: &str,
    down_after: Duration,
    own: &ProcessIdentity,
) -> Result<Vec<Member>, StoreError> {
    let rows = store.query(LIST, vec![service.into()]).await?;
    let down_after = u64::try_from(down_after.as_millis()).unwrap_or(u64::MAX);
    Ok(rows.iter().map(|row| read(row, down_after, own)).collect())
}

fn read(row: &Row, down_after: u64, own: &ProcessIdentity) -> Member {
    let text = |column| row.text(column).unwrap_or_default().to_owned();
    let count = |column| u64::try_from(row.int(column).unwrap_or(0)).unwrap_or(0);
    let process = ProcessIdentity {
        pid: row.int(3).unwrap_or(0),
        started: row.int(4).unwrap_or(0),
        boot: text(5),
    };
    let stamps = Stamps {
        seen: row.int(8),
        created: row.int(9).unwrap_or(0),
    };
    let signs = Signs {
        stamps,
        reported_state: ReportedState::read(row.text(7).unwrap_or_default()),
        disabled: row.int(10) == Some(1),
        forced_down: row.int(11) == Some(1),
        process_gone: process.is_gone(own),
    };
    Member {
        host: text(0),
        slot: row.int(1).and_then(|slot| usize::try_from(slot).ok()),
        generation: count(2),
        pid: u32::try_from(process.pid).unwrap_or(0),
        version: count(6),
        state: signs.state(row.int(12).unwrap_or(i64::MAX), down_after),
        seen: time(stamps.seen.unwrap_or(stamps.created)),
    }
}
