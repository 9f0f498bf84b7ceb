//! The future that a group really spawns: the author's, and around it what happens at its end.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tokio::sync::OwnedSemaphorePermit;

use crate::tasks::TaskEnd;
use crate::tasks::panic::message;
use crate::tasks::record::Record;

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
    record: Arc<Record>,
    /// Holds one place of the group's limit.
    permit: Option<OwnedSemaphorePermit>,
    signed_off: bool,
}

impl<F> Tracked<F> {
    pub(super) fn new(
        future: F,
        record: Arc<Record>,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Self {
        let membership = Membership {
            record,
            permit,
            signed_off: false,
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
        if std::mem::replace(&mut self.signed_off, true) {
            return;
        }
        self.record.leave(end);
        // The place is free before `wait` can learn that the task is gone.
        drop(self.permit.take());
        self.record.group.one_less();
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.sign_off(TaskEnd::Cancelled);
    }
}
