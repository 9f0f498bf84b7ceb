//! What of a service runs at the moment, for those beside its task.

use std::sync::{Mutex, PoisonError};

use crate::service::{AnyService, Context};

/// What of a service runs at the moment.
#[derive(Default)]
pub(super) struct RunState(Mutex<State>);

#[derive(Default)]
struct State {
    /// What was built and started.
    service: Option<AnyService>,
    /// Given from the moment when the service begins to be built.
    context: Option<Context>,
    /// The value that `main` made has been started before.
    used: bool,
    over: bool,
}

impl RunState {
    pub(super) fn service(&self) -> Option<(AnyService, Context)> {
        let state = self.state();
        Some((state.service.clone()?, state.context.clone()?))
    }

    pub(super) fn context(&self) -> Option<Context> {
        self.state().context.clone()
    }

    pub(super) fn is_over(&self) -> bool {
        self.state().over
    }

    pub(super) fn begin(&self) {
        self.state().over = false;
    }

    pub(super) fn end(&self) {
        self.state().over = true;
    }

    pub(super) fn is_used(&self) -> bool {
        std::mem::replace(&mut self.state().used, true)
    }

    pub(super) fn set(&self, service: Option<&AnyService>, context: Option<&Context>) {
        let mut state = self.state();
        state.service = service.cloned();
        state.context = context.cloned();
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
