//! A planned loop becomes a task of its group.

use std::future::Future;
use std::sync::Arc;

use tokio::time::Instant;

use super::run_loop::Turning;
use super::{LoopHandle, LoopState, Pace, Plan, Step};
use crate::tasks::group::Start;
use crate::tasks::run_view::RunView;
use crate::tasks::{SpawnError, TaskGroup, TaskHandle};

impl Plan {
    /// Starts the loop as a task of its group.
    pub(in crate::tasks) fn start<P, R, Fut, T>(
        self,
        group: &TaskGroup,
        pace: P,
        call: R,
    ) -> Result<LoopHandle<T>, SpawnError>
    where
        P: Pace,
        R: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output: Step<P::Hint, Value = T>> + Send + 'static,
        T: Send + 'static,
    {
        let (start, turning) = self.ready(pace, call);
        group.start(start, turning)
    }

    /// Starts the loop as a task of its group whose handle tells nothing of how the loop ended.
    pub(in crate::tasks) fn start_quiet<P, R, Fut>(
        self,
        group: &TaskGroup,
        pace: P,
        call: R,
    ) -> Result<TaskHandle<()>, SpawnError>
    where
        P: Pace,
        R: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output: Step<P::Hint, Value: Send + 'static>> + Send + 'static,
    {
        let (start, turning) = self.ready(pace, call);
        // How it ended has been logged or reported.
        group.start(start, async move { drop(turning.await) })
    }

    fn ready<P, R, Fut>(self, pace: P, call: R) -> (Start, Turning<P, R, Fut>)
    where
        P: Pace,
    {
        let (name, kind, now) = (self.name.clone(), self.kind, Instant::now());
        let state = Arc::new(LoopState::new(self, now));
        let start = Start {
            name,
            kind,
            run: Some(Arc::clone(&state) as Arc<dyn RunView>),
        };
        (start, Turning::new(state, pace, call, now))
    }
}
