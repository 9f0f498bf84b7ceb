//! What rooms above keep with a service: one value of each type.

use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};

/// One value of each type.
#[derive(Default)]
pub(super) struct Extensions(Mutex<Vec<Arc<dyn Any + Send + Sync>>>);

impl Extensions {
    /// Returns the value of this type; the first who asks makes it.
    ///
    /// # Errors
    ///
    /// Returns the error of the one who makes it; the next one tries again.
    pub(super) fn get_or_make<T: Send + Sync + 'static, E>(
        &self,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.iter().find_map(|one| Arc::clone(one).downcast().ok());
        if let Some(known) = known {
            return Ok(known);
        }
        let made = Arc::new(make()?);
        all.push(Arc::clone(&made) as _);
        Ok(made)
    }
}
