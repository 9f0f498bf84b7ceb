//! The records of all services, for operators: list, disable, enable, force down, delete.

use super::record::{self, Record, RecordKey};
use super::store::{Store, StoreError};

/// The records in a store.
///
/// # Examples
///
/// ```no_run
/// # async fn f(cx: &service_runtime::Context) -> anyhow::Result<()> {
/// let records = cx.records()?;
/// for record in records.list().await? {
///     println!("{} {} {}", record.host, record.service, record.disabled);
/// }
/// records.disable("host7", "agent", "its disk is failing").await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Records(Store);

impl Records {
    /// Takes the records of a store.
    pub fn of(store: Store) -> Self {
        Self(store)
    }

    /// Returns every record, by service and host.
    ///
    /// # Errors
    ///
    /// Returns an error of the store.
    pub async fn list(&self) -> Result<Vec<Record>, StoreError> {
        record::all(&self.0).await
    }

    /// Returns the record of a service on a host.
    ///
    /// # Errors
    ///
    /// Returns an error of the store.
    pub async fn get(&self, host: &str, service: &str) -> Result<Option<Record>, StoreError> {
        key(host, service).get(&self.0).await
    }

    /// Says that a service on a host is to get no new work, and why; returns whether there is such a record.
    ///
    /// # Errors
    ///
    /// Returns an error of the store.
    pub async fn disable(
        &self,
        host: &str,
        service: &str,
        reason: &str,
    ) -> Result<bool, StoreError> {
        let key = key(host, service);
        key.set_disabled(&self.0, true, Some(reason)).await
    }

    /// Lets a service on a host get new work again; returns whether there is such a record.
    ///
    /// # Errors
    ///
    /// Returns an error of the store.
    pub async fn enable(&self, host: &str, service: &str) -> Result<bool, StoreError> {
        key(host, service).set_disabled(&self.0, false, None).await
    }

    /// Declares a service on a host down whatever its beats say, or takes that back; returns whether there is
    /// such a record.
    ///
    /// # Errors
    ///
    /// Returns an error of the store.
    pub async fn force_down(
        &self,
        host: &str,
        service: &str,
        down: bool,
    ) -> Result<bool, StoreError> {
        key(host, service).force_down(&self.0, down).await
    }

    /// Deletes a record and the entries of its workers; returns whether there was one. That of a service that
    /// runs comes back with its next beat.
    ///
    /// # Errors
    ///
    /// Returns an error of the store.
    pub async fn delete(&self, host: &str, service: &str) -> Result<bool, StoreError> {
        key(host, service).delete(&self.0).await
    }
}

fn key(host: &str, service: &str) -> RecordKey {
    RecordKey {
        host: host.to_owned(),
        service: service.to_owned(),
    }
}
