//! The future that a group really spawns: the author's, and around it its membership.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::tasks::TaskEnd;
use crate::tasks::group::Shared;
use crate::tasks::panic::message;
use crate::tasks::registry::EntryKey;

pin_project! {
    /// A task's future, which signs off however it ends.
    ///
    /// The author's future is dropped before the task counts as ended, also when it is aborted:
    /// fields are dropped in this order.
    #[project = TrackedProj]
    pub(super) struct Tracked<F> {
        #[pin]
        future: Option<F>,
        membership: GroupMembership,
    }
}

/// A task's place in its group. The end of it, signed or dropped, is the end of the task.
struct GroupMembership {
    /// Empty once the task has signed off.
    group: Option<Arc<Shared>>,
    key: EntryKey,
    /// Whether the group knows how to wake the task.
    waits: bool,
}

/// Why a task has no value.
#[derive(Debug)]
pub(super) enum NoValue {
    #[expect(
        clippy::box_collection,
        reason = "boxed once more, so that the values of tasks do not grow for it"
    )]
    Panicked(Box<String>),
    Aborted,
}

impl<F> Tracked<F> {
    pub(super) fn new(future: F, group: Arc<Shared>, key: EntryKey) -> Self {
        let membership = GroupMembership {
            group: Some(group),
            key,
            waits: false,
        };
        Self {
            future: Some(future),
            membership,
        }
    }
}

impl<F: Future> Future for Tracked<F> {
    type Output = Result<F::Output, NoValue>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if this.membership.is_aborted() {
            return this.abort();
        }
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
            Ok(Poll::Pending) if this.membership.wait(cx) => Poll::Pending,
            Ok(Poll::Pending) => this.abort(),
            Ok(Poll::Ready(value)) => {
                this.membership.sign_off(&TaskEnd::Completed);
                Poll::Ready(Ok(value))
            }
            Err(payload) => this.panicked(message(payload)),
        }
    }
}

impl<F: Future> TrackedProj<'_, F> {
    #[cold]
    fn abort(mut self) -> Poll<Result<F::Output, NoValue>> {
        match catch_unwind(AssertUnwindSafe(|| self.future.set(None))) {
            Ok(()) => {
                self.membership.sign_off(&TaskEnd::Cancelled);
                Poll::Ready(Err(NoValue::Aborted))
            }
            Err(payload) => self.panicked(message(payload)),
        }
    }

    #[cold]
    fn panicked(mut self, message: String) -> Poll<Result<F::Output, NoValue>> {
        // What is left of the future may panic again; the first panic is the one to tell.
        let _ = catch_unwind(AssertUnwindSafe(|| self.future.set(None)));
        self.membership
            .sign_off(&TaskEnd::Panicked(message.clone()));
        Poll::Ready(Err(NoValue::Panicked(Box::new(message))))
    }
}

impl GroupMembership {
    fn is_aborted(&self) -> bool {
        self.group.as_ref().is_some_and(|group| group.is_aborting())
    }

    /// Returns whether the task may wait, and not end now.
    fn wait(&mut self, cx: &Context<'_>) -> bool {
        if !self.waits
            && let Some(group) = &self.group
        {
            self.waits = group.waits(self.key, cx);
            return self.waits;
        }
        true
    }

    fn sign_off(&mut self, end: &TaskEnd) {
        if let Some(group) = self.group.take() {
            group.leave(self.key, end);
        }
    }
}

impl Drop for GroupMembership {
    fn drop(&mut self) {
        self.sign_off(&TaskEnd::Cancelled);
    }
}
