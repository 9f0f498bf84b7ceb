//! Calls over a NATS broker, for programs of many machines.
//!
//! | subject | who gets it |
//! | --- | --- |
//! | `rpc.<exchange>.<topic>.any` | one worker of the topic (queue group `rpc`) |
//! | `rpc.<exchange>.<topic>.on.<server>` | one worker of that server (queue group `rpc`) |
//! | `rpc.<exchange>.<topic>.all` | every worker |
//! | `rpc.<exchange>.<topic>.worker.<id>` | this worker, for its own pings |
//!
//! The broker answers who sends to nobody. What only the server knows, it says itself: a beat while a call waits
//! or runs, as often as the caller wants, so that a server that died is known; and what a stop gives back
//! before it has begun, or a worker without room has, so that its caller sends it to another.

mod discovery;
mod serve;
mod session;
mod subjects;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_nats::{HeaderMap, StatusCode};
use futures_core::future::BoxFuture;
use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use self::session::Session;
use super::config::RpcConfig;
use super::frame;
use super::server::Server;
use super::transport::{Delivery, Outbound, OwnAddress, Transport};
use crate::backoff::Backoff;
use crate::service::Context;
use crate::tasks::TaskGroup;

/// The header that says how long a caller waits for a sign of life, in milliseconds.
const MONITOR: &str = "Rpc-Monitor";
/// The header of an answer that is none: a sign of life, or a request that is given back.
const SIGN: &str = "Rpc-Sign";
/// The call waits or runs.
const BEAT: &str = "beat";
/// The call has not begun, and will not here.
const GIVEN_BACK: &str = "given-back";

/// The waits before a request that was given back is sent again.
const WAITS: Backoff = Backoff::doubling(Duration::from_millis(1), Duration::from_millis(200));

/// A broker, connected to when it is first needed.
#[derive(Debug)]
pub(super) struct Nats {
    config: RpcConfig,
    /// What the broker shows as the name of the connection.
    name: String,
    group: TaskGroup,
    session: OnceCell<Arc<Session>>,
}

impl Nats {
    pub(super) fn new(cx: &Context, config: &RpcConfig) -> Self {
        Self {
            config: config.clone(),
            name: format!("{} {}", cx.program(), cx.name()),
            group: cx.tasks().clone(),
            session: OnceCell::new(),
        }
    }

    /// Returns the connection, which the first who asks makes.
    async fn session(&self) -> io::Result<&Arc<Session>> {
        let connect = || async {
            let session = Session::connect(&self.config, &self.name, &self.group).await;
            session.map(Arc::new)
        };
        self.session.get_or_try_init(connect).await
    }

    /// Returns the connection, if it is made in time.
    async fn session_by(&self, deadline: Instant) -> io::Result<&Arc<Session>> {
        let in_time = timeout_at(deadline, self.session()).await;
        in_time.unwrap_or_else(|_| {
            let text = format!("no connection to `{}` in time", self.config.url);
            Err(io::Error::new(io::ErrorKind::TimedOut, text))
        })
    }

    async fn send(&self, outbound: &Outbound) -> io::Result<Delivery> {
        let session = self.session_by(outbound.deadline).await?;
        let subject = subjects::of_target(&outbound.target);
        let mut waits = WAITS.delays();
        loop {
            session.check()?;
            let mut waiter = session.wait(&outbound.id);
            self.publish(session, subject.clone(), outbound).await?;
            match self.answer(&mut waiter, outbound.deadline).await {
                Some(delivery) => return Ok(delivery),
                None => drop(waiter),
            }
            let wait = sleep(waits.take_spread());
            if timeout_at(outbound.deadline, wait).await.is_err() {
                return Ok(Delivery::Nobody);
            }
        }
    }

    async fn publish(
        &self,
        session: &Session,
        subject: String,
        outbound: &Outbound,
    ) -> io::Result<()> {
        let body = &outbound.frame[frame::HEAD..];
        let most = session.client.max_payload();
        if body.len() > most {
            let text = format!(
                "a message of {} bytes is larger than `max_payload` of the broker, which is {most} bytes",
                body.len()
            );
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let mut headers = HeaderMap::new();
        headers.insert(MONITOR, self.config.monitor.as_millis().to_string());
        let body = body.to_vec().into();
        let client = &session.client;
        let reply = session.reply_to(&outbound.id);
        let sent = client.publish_with_reply_and_headers(subject, reply, headers, body);
        sent.await.map_err(io::Error::other)
    }

    /// Waits for an answer; `None` if the request was given back.
    async fn answer(&self, waiter: &mut session::Waiter, deadline: Instant) -> Option<Delivery> {
        loop {
            let silent = Instant::now() + self.config.monitor;
            let message = tokio::select! {
                biased;
                message = waiter.messages.recv() => message,
                () = sleep_until(silent.min(deadline)) => {
                    let is_late = Instant::now() >= deadline;
                    return Some(if is_late { Delivery::TimedOut } else { Delivery::Lost });
                }
            };
            let Some(message) = message else {
                return Some(Delivery::Lost);
            };
            if message.status == Some(StatusCode::NO_RESPONDERS) {
                return Some(Delivery::Nobody);
            }
            let sign = message
                .headers
                .as_ref()
                .and_then(|headers| headers.get(SIGN));
            match sign.map(|sign| sign.as_str()) {
                Some(GIVEN_BACK) => return None,
                Some(_) => {}
                None => return Some(Delivery::Answered(message.payload.to_vec())),
            }
        }
    }
}

impl Transport for Nats {
    fn deliver<'a>(&'a self, outbound: &'a Outbound) -> BoxFuture<'a, io::Result<Delivery>> {
        Box::pin(self.send(outbound))
    }

    /// The broker does not say who gets it: the first answer says that somebody does, or that nobody is there.
    fn deliver_to_all<'a>(
        &'a self,
        outbound: &'a Outbound,
    ) -> BoxFuture<'a, io::Result<Vec<Delivery>>> {
        Box::pin(async {
            let session = self.session_by(outbound.deadline).await?;
            session.check()?;
            let mut waiter = session.wait(&outbound.id);
            let subject = subjects::all(&outbound.target);
            self.publish(session, subject, outbound).await?;
            let first = self.answer(&mut waiter, outbound.deadline).await;
            Ok(first
                .into_iter()
                .filter(|delivery| !matches!(delivery, Delivery::Nobody))
                .collect())
        })
    }

    fn serve(&self, server: Arc<Server>) -> BoxFuture<'_, anyhow::Result<Arc<dyn OwnAddress>>> {
        Box::pin(async {
            let session = Arc::clone(self.session().await?);
            session.check()?;
            serve::serve(session, server).await
        })
    }
}
