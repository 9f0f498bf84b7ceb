//! The lease in the store: its statements, and the same rules as a pure function.
//!
//! The simulation runs on the pure rules, and a test holds both engines to them.

use std::time::Duration;

use crate::cluster::store::{Store, StoreError};

const ACQUIRE: &str = "
INSERT INTO service_lease (name, holder, fence, expires) VALUES ($1, $2, 1, {now} + $3)
ON CONFLICT (name) DO UPDATE
SET holder = $2, fence = service_lease.fence + 1, expires = {now} + $3
WHERE service_lease.expires <= {now}
RETURNING fence";
const RENEW: &str = "
UPDATE service_lease SET expires = {now} + $4
WHERE name = $1 AND holder = $2 AND fence = $3 AND expires > 0
RETURNING fence";
const RELEASE: &str = "
UPDATE service_lease SET expires = 0
WHERE name = $1 AND holder = $2 AND fence = $3
RETURNING fence";
const SAVE: &str = "
UPDATE service_lease SET state = $4
WHERE name = $1 AND holder = $2 AND fence = $3 AND expires > 0
RETURNING fence";
const SAVED: &str = "SELECT state FROM service_lease WHERE name = $1";

/// Who asks for a lease, and which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) name: String,
    pub(super) holder: String,
}

impl Claim {
    /// Takes the lease if nobody holds it; returns its fencing number, one higher than any before.
    pub(super) async fn acquire(
        &self,
        store: &Store,
        ttl: Duration,
    ) -> Result<Option<i64>, StoreError> {
        let values = vec![
            self.name.as_str().into(),
            self.holder.as_str().into(),
            millis(ttl).into(),
        ];
        let rows = store.query(ACQUIRE, values).await?;
        Ok(rows.first().and_then(|row| row.int(0)))
    }

    /// Keeps the lease; returns whether it is still held under this number.
    pub(super) async fn renew(
        &self,
        store: &Store,
        fence: i64,
        ttl: Duration,
    ) -> Result<bool, StoreError> {
        let values = vec![
            self.name.as_str().into(),
            self.holder.as_str().into(),
            fence.into(),
            millis(ttl).into(),
        ];
        Ok(!store.query(RENEW, values).await?.is_empty())
    }

    /// Gives the lease back, if it is still held under this number.
    pub(super) async fn release(&self, store: &Store, fence: i64) -> Result<(), StoreError> {
        let values = vec![
            self.name.as_str().into(),
            self.holder.as_str().into(),
            fence.into(),
        ];
        store.query(RELEASE, values).await.map(drop)
    }

    /// Writes the text of the lease, if it is still held under this number; returns whether it was.
    pub(super) async fn save(
        &self,
        store: &Store,
        fence: i64,
        text: &str,
    ) -> Result<bool, StoreError> {
        let values = vec![
            self.name.as_str().into(),
            self.holder.as_str().into(),
            fence.into(),
            text.into(),
        ];
        Ok(!store.query(SAVE, values).await?.is_empty())
    }

    /// Returns the text that was written last, by whatever holder.
    pub(super) async fn saved(&self, store: &Store) -> Result<Option<String>, StoreError> {
        let rows = store.query(SAVED, vec![self.name.as_str().into()]).await?;
        let text = rows.first().and_then(|row| row.text(0));
        Ok(text.map(str::to_owned))
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}

/// The rules of the statements above, on a row in memory.
#[cfg(test)]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) holder: u32,
    pub(crate) fence: i64,
    pub(crate) expires: i64,
}

#[cfg(test)]
impl Model {
    pub(crate) fn acquire(&mut self, holder: u32, now: i64, ttl: i64) -> Option<i64> {
        if self.expires > now {
            return None;
        }
        (self.holder, self.fence, self.expires) = (holder, self.fence + 1, now + ttl);
        Some(self.fence)
    }

    pub(crate) fn renew(&mut self, holder: u32, fence: i64, now: i64, ttl: i64) -> bool {
        let held = self.holds(holder, fence);
        if held {
            self.expires = now + ttl;
        }
        held
    }

    pub(crate) fn release(&mut self, holder: u32, fence: i64) {
        if self.holder == holder && self.fence == fence {
            self.expires = 0;
        }
    }

    /// Whether a write under this number is taken.
    pub(crate) fn holds(&self, holder: u32, fence: i64) -> bool {
        self.holder == holder && self.fence == fence && self.expires > 0
    }
}
