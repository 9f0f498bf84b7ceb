//! Whether a file of a pair has changed, also when a link to it leads elsewhere now.
//!
//! Files of one pair change one after the other: they are taken to be written when two looks in a
//! row have found the same. There are three looks in the time within which a change is to be taken.

use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use tokio::time::sleep;

use crate::http::TlsConfig;
use crate::http::config::limit;

/// What tells one state of the files from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Files(Vec<Option<Stamp>>);

/// Device, inode, length and the time of the last change of one file.
type Stamp = (u64, u64, u64, i64, i64);

/// How many looks there are within the time of the key `watch`: one that may come just before a change, one
/// that finds it, and one that finds the same.
const LOOKS: u32 = 3;

/// Looks at files every now and then.
pub(super) struct Watch {
    every: Option<Duration>,
    loaded: Files,
}

impl Files {
    pub(super) fn of(config: &TlsConfig) -> Self {
        let one = [&config.cert, &config.key, &config.client_ca];
        let one = one.into_iter().flatten();
        let more = config.more.iter().flat_map(|pair| [&pair.cert, &pair.key]);
        let stamp = |path: &std::path::PathBuf| {
            let found = std::fs::metadata(path).ok()?;
            let changed = (found.ctime(), found.ctime_nsec());
            Some((found.dev(), found.ino(), found.len(), changed.0, changed.1))
        };
        Self(one.chain(more).map(stamp).collect())
    }
}

impl Watch {
    pub(super) fn new(every: Duration, loaded: Files) -> Self {
        let every = limit(every).map(|within| within / LOOKS);
        Self { every, loaded }
    }

    /// Waits until files have changed and stay as they are.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a change is seen by the next call.
    pub(super) async fn changed(&self, config: &TlsConfig) {
        let Some(every) = self.every else {
            return std::future::pending().await;
        };
        let mut last = self.loaded.clone();
        loop {
            sleep(every).await;
            let looked = config.clone();
            // A file system that hangs holds up this look alone.
            let Ok(now) = tokio::task::spawn_blocking(move || Files::of(&looked)).await else {
                continue;
            };
            if now != self.loaded && now == last {
                return;
            }
            last = now;
        }
    }

    /// Takes note of what was loaded, well or not.
    pub(super) fn loading(&mut self, config: &TlsConfig, files: Files) {
        *self = Self::new(config.watch, files);
    }
}
