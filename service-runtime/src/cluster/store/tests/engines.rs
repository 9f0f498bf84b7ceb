//! Stores of both engines for one test.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::server;
use crate::cluster::store::Store;
use crate::tasks::TaskGroup;

/// The addresses of a new, empty store of each engine that there is.
pub(in crate::cluster) struct Engines {
    dir: PathBuf,
    urls: Vec<String>,
}

static NEXT: AtomicU32 = AtomicU32::new(0);

impl Engines {
    pub(in crate::cluster) fn new() -> Self {
        let mut engines = Self::sqlite();
        let name = engines.dir.file_name().unwrap().to_str().unwrap();
        if cfg!(feature = "postgres") {
            let database = server::database(&name.replace('-', "_"));
            engines.urls.extend(database);
        } else {
            eprintln!("skipped: PostgreSQL, because this build has no feature `postgres`");
        }
        engines
    }

    /// A file alone.
    pub(in crate::cluster) fn sqlite() -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("service-runtime-store-{}-{number}", std::process::id());
        let dir = std::env::temp_dir().join(name);
        std::fs::create_dir(&dir).unwrap();
        let urls = vec![format!("sqlite:{}", dir.join("store.db").display())];
        Self { dir, urls }
    }

    /// The addresses.
    pub(in crate::cluster) fn urls(&self) -> &[String] {
        &self.urls
    }

    /// The file.
    pub(in crate::cluster) fn file(&self) -> PathBuf {
        self.dir.join("store.db")
    }

    /// A store of each engine.
    pub(in crate::cluster) fn stores(&self) -> Vec<Store> {
        self.urls.iter().map(|url| open(url)).collect()
    }
}

/// Takes a store as a process would.
pub(in crate::cluster) fn open(url: &str) -> Store {
    Store::new(url, Path::new("/"), &TaskGroup::new("test")).unwrap()
}

impl Drop for Engines {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}
