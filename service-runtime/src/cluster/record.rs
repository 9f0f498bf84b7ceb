//! The record of a service on a host: got or created, kept by all its workers, changed by operators.

use std::time::{Duration, SystemTime};

use super::store::{Row, Store, StoreError, Value};

const GET: &str = "
SELECT id, host, service, topic, version, report_count, last_seen, disabled, disabled_reason,
    forced_down, created, updated
FROM service_record WHERE host = $1 AND service = $2";
const ALL: &str = "
SELECT id, host, service, topic, version, report_count, last_seen, disabled, disabled_reason,
    forced_down, created, updated
FROM service_record ORDER BY service, host";
const CREATE: &str = "
INSERT INTO service_record
    (id, host, service, topic, version, report_count, disabled, forced_down, created)
VALUES ($1, $2, $3, $4, $5, 0, 0, 0, {now})
ON CONFLICT DO NOTHING RETURNING id";
const TAKEN: &str = "SELECT service FROM service_record WHERE host = $1 AND topic = $2";
const SET_VERSION: &str = "
UPDATE service_record SET version = $3, updated = {now} WHERE host = $1 AND service = $2 RETURNING id";
const LOWEST: &str =
    "SELECT min(version) FROM service_record WHERE service = $1 AND forced_down = 0";
const REPORT: &str = "
UPDATE service_record SET report_count = report_count + 1, last_seen = {now}
WHERE host = $1 AND service = $2 RETURNING id";
const DISABLE: &str = "
UPDATE service_record SET disabled = $3, disabled_reason = $4, updated = {now}
WHERE host = $1 AND service = $2 RETURNING id";
const FORCE_DOWN: &str = "
UPDATE service_record SET forced_down = $3, updated = {now}
WHERE host = $1 AND service = $2 RETURNING id";
const DELETE: &str = "DELETE FROM service_record WHERE host = $1 AND service = $2 RETURNING id";
const DELETE_MEMBERS: &str =
    "DELETE FROM service_member WHERE host = $1 AND service = $2 RETURNING id";

/// A service on a host, as all of the cluster knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// What it is told apart by, for ever.
    pub id: String,
    /// The host.
    pub host: String,
    /// The service.
    pub service: String,
    /// The topic that it is asked on.
    pub topic: String,
    /// The version of the program that started last.
    pub version: u64,
    /// How many beats its workers have written.
    pub report_count: u64,
    /// When the last beat was written, by the store's clock.
    pub last_seen: Option<SystemTime>,
    /// Whether an operator wants no new work on it.
    pub disabled: bool,
    /// Why.
    pub disabled_reason: Option<String>,
    /// Whether an operator has declared it down.
    pub forced_down: bool,
    /// When it was created.
    pub created: SystemTime,
    /// When a program or an operator changed it last; beats are no change.
    pub updated: Option<SystemTime>,
}

/// Why a service cannot have its record.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The store does not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The program is older than what the cluster has come to.
    #[error(
        "this program has version {own} of `{service}`, and the cluster has come to version {lowest}: \
         start a newer program, or delete the records that are no longer there"
    )]
    TooOld {
        /// The service.
        service: String,
        /// The version of this program.
        own: u64,
        /// The lowest version that is recorded.
        lowest: u64,
    },
    /// Another service of this host has the topic.
    #[error("the topic `{topic}` of host `{host}` belongs to the service `{service}` already")]
    TopicTaken {
        /// The host.
        host: String,
        /// The topic.
        topic: String,
        /// Who has it.
        service: String,
    },
}

/// The key of a record.
#[derive(Debug, Clone)]
pub(super) struct RecordKey {
    pub(super) host: String,
    pub(super) service: String,
}

impl RecordKey {
    /// Gets the record, or creates it; whoever comes second in a race takes the first one's.
    pub(super) async fn get_or_create(
        &self,
        store: &Store,
        version: u64,
    ) -> Result<Record, RecordError> {
        let own = number(version);
        if let Some(lowest) = lowest_version(store, &self.service).await?
            && version < lowest
        {
            return Err(RecordError::TooOld {
                service: self.service.clone(),
                own: version,
                lowest,
            });
        }
        if self.get(store).await?.is_none() {
            // It is told apart by this text only; whoever reads it takes it as a whole.
            let id = format!(
                "{:032x}",
                fastrand::u128(..) ^ u128::from(std::process::id())
            );
            let values: Vec<Value> = vec![
                id.as_str().into(),
                self.host.as_str().into(),
                self.service.as_str().into(),
                self.service.as_str().into(),
                own.into(),
            ];
            if !store.query(CREATE, values).await?.is_empty() {
                tracing::info!(
                    service = self.service,
                    host = self.host,
                    "service record created"
                );
            }
        }
        let Some(record) = self.get(store).await? else {
            return Err(self.topic_taken(store).await?);
        };
        if record.version == version {
            return Ok(record);
        }
        let mut values = self.values();
        values.push(own.into());
        store.query(SET_VERSION, values).await?;
        tracing::info!(
            service = self.service,
            host = self.host,
            from = record.version,
            to = version,
            "the version in the service record has changed"
        );
        Ok(Record { version, ..record })
    }

    pub(super) async fn get(&self, store: &Store) -> Result<Option<Record>, StoreError> {
        let rows = store.query(GET, self.values()).await?;
        Ok(rows.first().map(read))
    }

    /// Counts a beat; returns whether there is a record.
    pub(super) async fn report(&self, store: &Store) -> Result<bool, StoreError> {
        self.changes(store, REPORT, []).await
    }

    /// Disables the service on the host, or enables it.
    pub(super) async fn set_disabled(
        &self,
        store: &Store,
        disabled: bool,
        reason: Option<&str>,
    ) -> Result<bool, StoreError> {
        let reason = reason.filter(|_| disabled);
        self.changes(store, DISABLE, [disabled.into(), reason.into()])
            .await
    }

    /// Declares the service on the host down, or takes that back.
    pub(super) async fn force_down(&self, store: &Store, down: bool) -> Result<bool, StoreError> {
        self.changes(store, FORCE_DOWN, [down.into()]).await
    }

    /// Deletes the record and the entries of its workers.
    pub(super) async fn delete(&self, store: &Store) -> Result<bool, StoreError> {
        store.query(DELETE_MEMBERS, self.values()).await?;
        self.changes(store, DELETE, []).await
    }

    async fn changes<const N: usize>(
        &self,
        store: &Store,
        statement: &'static str,
        more: [Value; N],
    ) -> Result<bool, StoreError> {
        let mut values = self.values();
        values.extend(more);
        Ok(!store.query(statement, values).await?.is_empty())
    }

    async fn topic_taken(&self, store: &Store) -> Result<RecordError, StoreError> {
        let rows = store.query(TAKEN, self.values()).await?;
        let service = rows.first().and_then(|row| row.text(0));
        Ok(RecordError::TopicTaken {
            host: self.host.clone(),
            topic: self.service.clone(),
            service: service.unwrap_or_default().to_owned(),
        })
    }

    fn values(&self) -> Vec<Value> {
        vec![self.host.as_str().into(), self.service.as_str().into()]
    }
}

/// Returns every record.
pub(super) async fn all(store: &Store) -> Result<Vec<Record>, StoreError> {
    let rows = store.query(ALL, Vec::new()).await?;
    Ok(rows.iter().map(read).collect())
}

/// Returns the lowest version of a service, without those that are forced down; none if there is no record.
pub(super) async fn lowest_version(
    store: &Store,
    service: &str,
) -> Result<Option<u64>, StoreError> {
    let rows = store.query(LOWEST, vec![service.into()]).await?;
    let lowest = rows.first().and_then(|row| row.int(0));
    Ok(lowest.and_then(|version| u64::try_from(version).ok()))
}

/// Returns a stamp of the store as a time.
pub(super) fn time(millis: i64) -> SystemTime {
    let since = Duration::from_millis(u64::try_from(millis).unwrap_or(0));
    SystemTime::UNIX_EPOCH + since
}

fn read(row: &Row) -> Record {
    let text = |column| row.text(column).unwrap_or_default().to_owned();
    let count = |column| u64::try_from(row.int(column).unwrap_or(0)).unwrap_or(0);
    Record {
        id: text(0),
        host: text(1),
        service: text(2),
        topic: text(3),
        version: count(4),
        report_count: count(5),
        last_seen: row.int(6).map(time),
        disabled: row.int(7) == Some(1),
        disabled_reason: row.text(8).map(str::to_owned),
        forced_down: row.int(9) == Some(1),
        created: time(row.int(10).unwrap_or(0)),
        updated: row.int(11).map(time),
    }
}

fn number(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}
