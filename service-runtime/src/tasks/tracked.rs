//! The future that a group really spawns: the author's, and around it what happens at its end.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tokio::sync::OwnedSemaphorePermit;

use crate::tasks::TaskEnd;
use crate::tasks::group::Shared;
use crate::tasks::panic::message;
use crate::tasks::registry::Place;

pin_project! {
    /// A task's future, which signs off however it ends.
    ///
    /// The author's future is dropped before the task counts as ended, also when it is aborted:
    /// fields are dropped in this order.
    pub(super) struct Tracked<F> {
        #[pin]
        future: Option<F>,
        membership: Membership,
    }
}

/// A task's place in its group. The end of it, signed or dropped, is the end of the task.
pub(super) struct Membership {
    /// Empty once the task has signed off.
    group: Option<Arc<Shared>>,
    place: Place,
    /// One task's room in the group's limit.
    permit: Option<OwnedSemaphorePermit>,
}

impl<F> Tracked<F> {
    pub(super) fn new(
        future: F,
        group: Arc<Shared>,
        place: Place,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Self {
        let membership = Membership {
            group: Some(group),
            place,
            permit,
        };
        Self {
            future: Some(future),
            membership,
        }
    }
}

impl<F: Future> Future for Tracked<F> {
    type Output = Result<F::Output, String>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let polled = catch_unwind(AssertUnwindSafe(|| {
            let future = this
                .future
                .as_mut()
                .as_pin_mut()
                .expect("not polled after its end");
            let polled = future.poll(cx);
            if polled.is_ready() {
                this.future.set(None);
            }
            polled
        }));
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(value)) => {
                this.membership.sign_off(TaskEnd::Completed);
                Poll::Ready(Ok(value))
            }
            Err(payload) => {
                let message = message(payload);
                // What is left of the future may panic again; the first panic is the one to tell.
                let _ = catch_unwind(AssertUnwindSafe(|| this.future.set(None)));
                this.membership.sign_off(TaskEnd::Panicked(message.clone()));
                Poll::Ready(Err(message))
            }
        }
    }
}

impl Membership {
    fn sign_off(&mut self, end: TaskEnd) {
        if let Some(group) = self.group.take() {
            group.leave(self.place, end, self.permit.take());
        }
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.sign_off(TaskEnd::Cancelled);
    }
}
