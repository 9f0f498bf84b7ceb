//! What a worker has to tell its supervisor, until it is sent: a queue that cannot grow without bound.

use std::collections::{BTreeMap, VecDeque};
use std::os::fd::OwnedFd;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep_until};

use crate::ipc::protocol::ToSupervisor;

/// How many requests of services may wait; what the worker itself tells comes on top, a message or two.
const MOST_REQUESTS: usize = 256;

/// How soon after a status the next one is sent: a person reads them, and other workers have some too.
const STATUS_INTERVAL: Duration = Duration::from_millis(100);

/// The messages that wait.
#[derive(Default)]
pub(crate) struct Outbox {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Outgoing>,
    /// The last status of each service that was not sent yet.
    statuses: BTreeMap<String, String>,
    /// When the next status may be sent.
    next_status: Option<Instant>,
    is_closed: bool,
}

/// Something for the task that sends.
pub(crate) enum Outgoing {
    /// A message.
    Message(ToSupervisor),
    /// A message with bytes in a memory file.
    File(ToSupervisor, OwnedFd),
    /// Everything before was sent: whoever waits for that is told.
    Flush(oneshot::Sender<()>),
}

/// The supervisor takes no requests at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the supervisor has not taken {MOST_REQUESTS} requests of this worker yet")]
pub(crate) struct TooManyRequests;

impl Outbox {
    /// Queues what the worker itself has to tell; what is told after the end of the channel is lost.
    pub(crate) fn push(&self, outgoing: Outgoing) {
        let mut state = self.state();
        if !state.is_closed {
            state.queue.push_back(outgoing);
            self.changed.notify_one();
        }
    }

    /// Queues a request of a service.
    ///
    /// # Errors
    ///
    /// Returns an error if too many wait already.
    pub(crate) fn push_request(&self, request: ToSupervisor) -> Result<(), TooManyRequests> {
        if self.state().queue.len() >= MOST_REQUESTS {
            return Err(TooManyRequests);
        }
        self.push(Outgoing::Message(request));
        Ok(())
    }

    /// Takes in how a service says it goes, in the place of what it said before and was not sent yet.
    pub(crate) fn set_status(&self, service: &str, text: &str) {
        let mut state = self.state();
        if !state.is_closed {
            state.statuses.insert(service.to_owned(), text.to_owned());
            self.changed.notify_one();
        }
    }

    /// Drops what waits and takes no more: nobody will send it.
    pub(crate) fn close(&self) {
        *self.state() = State {
            is_closed: true,
            ..State::default()
        };
    }

    /// Waits for what is to be sent next.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what is taken out is returned by the same call.
    pub(crate) async fn next(&self) -> Outgoing {
        loop {
            let until = match self.state().take(Instant::now()) {
                Ok(outgoing) => return outgoing,
                Err(until) => until,
            };
            let wait = async {
                match until {
                    Some(until) => sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.changed.notified() => {}
                () = wait => {}
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes out what is to be sent now, or returns when there will be something.
    fn take(&mut self, now: Instant) -> Result<Outgoing, Option<Instant>> {
        // A status that was told before is a part of "everything before".
        let is_flush = matches!(self.queue.front(), Some(Outgoing::Flush(_)));
        if !is_flush && let Some(outgoing) = self.queue.pop_front() {
            return Ok(outgoing);
        }
        let is_due = is_flush || self.next_status.is_none_or(|at| at <= now);
        if is_due && let Some((service, text)) = self.statuses.pop_first() {
            self.next_status = Some(now + STATUS_INTERVAL);
            return Ok(Outgoing::Message(ToSupervisor::Status { service, text }));
        }
        if let Some(outgoing) = self.queue.pop_front() {
            return Ok(outgoing);
        }
        Err(self.next_status.filter(|_| !self.statuses.is_empty()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn next(outbox: &Outbox) -> ToSupervisor {
        match outbox.next().await {
            Outgoing::Message(message) => message,
            Outgoing::File(..) | Outgoing::Flush(_) => panic!("it is another thing"),
        }
    }

    fn status(service: &str, text: &str) -> ToSupervisor {
        let (service, text) = (service.to_owned(), text.to_owned());
        ToSupervisor::Status { service, text }
    }

    #[tokio::test(start_paused = true)]
    async fn a_status_told_in_a_loop_is_one_message_an_interval_and_holds_up_nothing_else() {
        let outbox = Outbox::default();
        for number in 0..100_000 {
            outbox.set_status("api", &number.to_string());
            outbox.set_status("db", "well");
        }
        outbox.push(Outgoing::Message(ToSupervisor::Ready));
        let begun = Instant::now();
        assert_eq!(next(&outbox).await, ToSupervisor::Ready);
        assert_eq!(next(&outbox).await, status("api", "99999"));
        assert_eq!(begun.elapsed(), Duration::ZERO);
        assert_eq!(next(&outbox).await, status("db", "well"));
        outbox.set_status("api", "better");
        assert_eq!(next(&outbox).await, status("api", "better"));
        assert_eq!(begun.elapsed(), 2 * STATUS_INTERVAL);
    }

    #[tokio::test(start_paused = true)]
    async fn a_flush_comes_after_every_status_that_was_told_before() {
        let outbox = Outbox::default();
        let (tell, _told) = oneshot::channel();
        outbox.set_status("api", "ends");
        outbox.set_status("db", "ends");
        outbox.push(Outgoing::Flush(tell));
        assert_eq!(next(&outbox).await, status("api", "ends"));
        assert_eq!(next(&outbox).await, status("db", "ends"));
        assert!(matches!(outbox.next().await, Outgoing::Flush(_)));
    }

    #[test]
    fn requests_that_nobody_takes_are_refused_and_what_the_worker_tells_is_not() {
        let outbox = Outbox::default();
        let request = || ToSupervisor::Uses("127.0.0.1:0".to_owned());
        for _ in 0..MOST_REQUESTS {
            outbox.push_request(request()).unwrap();
        }
        assert_eq!(outbox.push_request(request()), Err(TooManyRequests));
        outbox.push(Outgoing::Message(ToSupervisor::Done));
        assert_eq!(outbox.state().queue.len(), MOST_REQUESTS + 1);
    }

    #[tokio::test]
    async fn whoever_waits_for_a_flush_of_a_closed_outbox_waits_no_longer() {
        let outbox = Outbox::default();
        let (tell, told) = oneshot::channel();
        outbox.push(Outgoing::Flush(tell));
        outbox.close();
        assert!(told.await.is_err());
    }
}
