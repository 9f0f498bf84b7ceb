//! A folder of a test's own.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A new, empty folder that goes when this is dropped.
pub struct Scratch(PathBuf);

static NEXT: AtomicU32 = AtomicU32::new(0);

/// Returns a text that no other test has, in this process or another.
pub(super) fn unique() -> String {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("service-runtime-{}-{number}", std::process::id())
}

impl Scratch {
    /// Makes the folder.
    ///
    /// # Panics
    ///
    /// Panics if the system refuses.
    #[must_use]
    pub fn new() -> Self {
        // Not below `target`: the path of a unix socket has to be short.
        let path = std::env::temp_dir().join(unique());
        fs::create_dir(&path).expect("the name is new");
        Self(path)
    }

    /// Returns the path of something in it.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file in it, at once and whole, and returns its path.
    ///
    /// # Panics
    ///
    /// Panics if the system refuses.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let (new, path) = (self.path(format!("{name}.new")), self.path(name));
        fs::write(&new, text).expect("the folder is ours");
        fs::rename(&new, &path).expect("the folder is ours");
        path
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
