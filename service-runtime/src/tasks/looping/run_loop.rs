//! The one loop behind all timers: wait, run, ask the pace when to run next.
//!
//! Written as a future by hand, because many timers live at a time and each is as large as this.

use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

use super::gate::Pass;
use super::pace::{Due, Next, Pace, Run, Woken, later};
use super::{Gate, LoopEnd, LoopResult, LoopState, Step};
use crate::tasks::run_view::RunView as _;

pin_project! {
    /// A loop that turns.
    #[project = TurningProj]
    pub(super) struct Turning<P, R, Fut> {
        state: Arc<LoopState>,
        pace: P,
        call: R,
        #[pin]
        sleep: Sleep,
        #[pin]
        run: Option<Fut>,
        gate: Option<Gate>,
        // Declared after the run, so that it is dropped after it.
        pass: Option<Pass>,
        started: Instant,
        // Boxed, because few loops have one.
        timeout: Option<Pin<Box<Sleep>>>,
    }
}

impl<P: Pace, R, Fut> Turning<P, R, Fut> {
    pub(super) fn new(state: Arc<LoopState>, mut pace: P, call: R, now: Instant) -> Self {
        let options = state.plan.options;
        let first = pace.first(later(now, options.initial_delay));
        state.waits_until(first);
        let timeout = options
            .timeout
            .map(|timeout| Box::pin(sleep_until(later(now, timeout))));
        let sleep = sleep_until(first);
        let gate = state.plan.gate.clone();
        Self {
            state,
            pace,
            call,
            sleep,
            run: None,
            gate,
            pass: None,
            started: now,
            timeout,
        }
    }
}

impl<P, R, Fut, T> Future for Turning<P, R, Fut>
where
    P: Pace,
    R: FnMut() -> Fut,
    Fut: Future<Output: Step<P::Hint, Value = T>>,
{
    type Output = LoopResult<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.run.as_mut().as_pin_mut() {
                Some(run) => match run.poll(cx) {
                    Poll::Ready(step) => this.ended(step),
                    Poll::Pending => return this.pending(cx),
                },
                None if this.state.is_stopped() => return Poll::Ready(Ok(LoopEnd::Stopped)),
                None => match this.sleep.as_mut().poll(cx) {
                    Poll::Ready(()) => this.woken(),
                    Poll::Pending => return this.pending(cx),
                },
            };
            if let ControlFlow::Break(end) = next {
                return Poll::Ready(end);
            }
        }
    }
}

impl<P, R, Fut, T> TurningProj<'_, P, R, Fut>
where
    P: Pace,
    R: FnMut() -> Fut,
    Fut: Future<Output: Step<P::Hint, Value = T>>,
{
    /// Begins the run that is due.
    fn woken(&mut self) -> ControlFlow<LoopResult<T>> {
        let now = Instant::now();
        match self.pace.woken(now) {
            Woken::Run { missed } => self.state.skips(missed),
            #[cfg(feature = "cron")]
            Woken::Wait(due) => {
                self.wait_until(due);
                return ControlFlow::Continue(());
            }
        }
        *self.started = now;
        if let Some(gate) = &self.gate {
            *self.pass = gate.ask();
            if self.pass.is_none() {
                self.state.is_gated();
                return self.next(now, Run::Gated, None);
            }
        }
        self.state.begins(now);
        self.run.set(Some((self.call)()));
        ControlFlow::Continue(())
    }

    /// Does with the end of a run what is to be done.
    fn ended(&mut self, step: Fut::Output) -> ControlFlow<LoopResult<T>> {
        self.run.set(None);
        *self.pass = None;
        let now = Instant::now();
        self.state.ends();
        match step.into_step() {
            Ok(ControlFlow::Continue(hint)) => self.next(now, Run::Went(hint), None),
            Ok(ControlFlow::Break(value)) => ControlFlow::Break(Ok(LoopEnd::Value(value))),
            Err(error) => {
                self.state.fails();
                match self.state.plan.failed(error) {
                    Ok(error) => self.next(now, Run::Failed, Some(error)),
                    Err(error) => ControlFlow::Break(Err(error)),
                }
            }
        }
    }

    /// Finds out when the next run is due.
    fn next(
        &mut self,
        now: Instant,
        run: Run<P::Hint>,
        error: Option<anyhow::Error>,
    ) -> ControlFlow<LoopResult<T>> {
        let started = *self.started;
        match self.pace.after(started, now, run) {
            Next::Run(Due {
                at,
                missed,
                outlasted,
            }) => {
                self.state.skips(missed);
                if let Some(interval) = outlasted {
                    self.state
                        .plan
                        .warn_of_a_long_run(now - started, interval, missed);
                }
                self.wait_until(at);
                ControlFlow::Continue(())
            }
            Next::TimedOut(after) => {
                ControlFlow::Break(Err(self.state.plan.timed_out(after, error)))
            }
        }
    }

    fn wait_until(&mut self, due: Instant) {
        self.state.waits_until(due);
        self.sleep.as_mut().reset(due);
    }

    /// Waits, if there is time left.
    fn pending(self, cx: &mut Context<'_>) -> Poll<LoopResult<T>> {
        let Some(sleep) = self.timeout else {
            return Poll::Pending;
        };
        let after = self.state.plan.options.timeout.unwrap_or_default();
        sleep
            .as_mut()
            .poll(cx)
            .map(|()| Err(self.state.plan.timed_out(after, None)))
    }
}
