//! Whether a file of a pair has changed, also when a link to it leads elsewhere now.
//!
//! Files of one pair change one after the other: they are taken to be written when two looks in a
//! row have found the same. Three looks within `watch` see to it that a new pair is taken by then.

use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use tokio::time::sleep;

use super::file_thread::apart;
use crate::http::TlsConfig;
use crate::http::config::limit;

/// How often within `watch` the files are looked at.
const LOOKS: u32 = 3;

/// What tells one state of the files from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Files(Vec<Option<Stamp>>);

/// Device, inode, length and the time of the last change of one file.
type Stamp = (u64, u64, u64, i64, i64);

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
        let every = limit(every);
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
            sleep(every / LOOKS).await;
            let config = config.clone();
            let Some(now) = apart(move || Files::of(&config)).await else {
                continue;
            };
            if now != self.loaded && now == last {
                return;
            }
            last = now;
        }
    }

    /// Takes note of what was loaded, well or not.
    pub(super) fn loaded(&mut self, config: &TlsConfig, files: Files) {
        self.every = limit(config.watch);
        self.loaded = files;
    }
}
