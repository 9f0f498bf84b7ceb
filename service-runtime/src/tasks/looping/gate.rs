//! Gates: whether it is this process's turn to run.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// Asks at each tick whether this process may run, as one of several that could.
///
/// The callback is asked when a tick is due, just before the run. `None` skips the tick, which is
/// counted apart from missed ones. A guard lets the run begin and is dropped when the run has ended,
/// however it ends. The callback is called in the task, so it must not block.
///
/// # Examples
///
/// ```
/// use service_runtime::tasks::Gate;
/// use std::sync::{Arc, Mutex};
///
/// let turn = Arc::new(tokio::sync::Mutex::new(()));
/// let gate = Gate::new(move || Arc::clone(&turn).try_lock_owned().ok());
/// ```
#[derive(Clone)]
pub struct Gate(Arc<dyn Fn() -> Option<Pass> + Send + Sync>);

/// A guard of whatever type, held while a run lasts.
pub(super) type Pass = Box<dyn Any + Send>;

impl Gate {
    /// Creates a gate from a callback that returns a guard when it is this process's turn.
    pub fn new<G: Send + 'static>(ask: impl Fn() -> Option<G> + Send + Sync + 'static) -> Self {
        Self(Arc::new(move || ask().map(|guard| Box::new(guard) as Pass)))
    }

    pub(super) fn ask(&self) -> Option<Pass> {
        (self.0)()
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate(..)")
    }
}
