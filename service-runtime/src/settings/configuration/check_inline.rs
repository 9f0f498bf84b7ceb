//! The first check of a configuration where there are no workers.

use super::load::{Configuration, Loaded};

impl Configuration {
    /// As [`load`](Self::load): this process runs the services, and may read their types.
    pub(crate) fn load_for(&self, _: impl FnOnce(&Loaded) -> bool) -> Result<Loaded, String> {
        self.load().map_err(|error| error.to_string())
    }
}
