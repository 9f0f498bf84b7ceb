//! A connection to the broker, and those that wait for answers on it.

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::connection::State;
use async_nats::{Client, ConnectOptions, Event, Message, ServerAddr, Subscriber};
use futures_core::Stream as _;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::backoff::Backoff;
use crate::rpc::config::RpcConfig;
use crate::rpc::id::new_id;
use crate::rpc::url::RpcUrl;
use crate::tasks::TaskGroup;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How often the broker is asked whether it is still there; it is given up after two silent ones.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// The waits between two attempts to connect.
const WAITS: Backoff = Backoff::doubling(Duration::from_millis(100), Duration::from_secs(5));

/// A connection and its inbox.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) client: Client,
    inbox: String,
    waiters: Arc<Waiters>,
}

/// Who waits for an answer, by the id of the request.
#[derive(Debug, Default)]
struct Waiters(Mutex<HashMap<String, UnboundedSender<Message>>>);

/// A place among those that wait, given up when it is dropped.
pub(super) struct Waiter {
    waiters: Arc<Waiters>,
    id: String,
    pub(super) messages: UnboundedReceiver<Message>,
}

impl Session {
    /// Connects; the tasks of the connection live until the group's background ends.
    pub(super) async fn connect(
        config: &RpcConfig,
        name: &str,
        group: &TaskGroup,
    ) -> io::Result<Self> {
        let shown = name.to_owned();
        let options = ConnectOptions::new()
            .name(name)
            .connection_timeout(CONNECT_TIMEOUT)
            .ping_interval(KEEP_ALIVE)
            .max_reconnects(None)
            .reconnect_delay_callback(delay)
            .event_callback(move |event| {
                log_event(&shown, &event);
                std::future::ready(())
            });
        let options = match (&config.user, &config.password) {
            (Some(user), password) => {
                options.user_and_password(user.clone(), password.clone().unwrap_or_default())
            }
            (None, Some(token)) => options.token(token.clone()),
            (None, None) => options,
        };
        let options = match &config.ca {
            Some(ca) => options.add_root_certificates(ca.clone()),
            None => options,
        };
        let options = match (&config.cert, &config.key) {
            (Some(cert), Some(key)) => options.add_client_certificate(cert.clone(), key.clone()),
            (None, None) => options,
            (Some(_), None) => return Err(invalid("`rpc.cert` needs `rpc.key`")),
            (None, Some(_)) => return Err(invalid("`rpc.key` needs `rpc.cert`")),
        };
        let connected = options.connect(servers(&config.url)?).await;
        let client = connected.map_err(|error| {
            io::Error::other(format!("cannot connect to `{}`: {error}", config.url))
        })?;
        let inbox = client.new_inbox();
        let mut replies = client
            .subscribe(format!("{inbox}.*"))
            .await
            .map_err(io::Error::other)?;
        client.flush().await.map_err(io::Error::other)?;
        let waiters = Arc::new(Waiters::default());
        let handed_out = Arc::clone(&waiters);
        group.background("rpc replies", async move {
            while let Some(message) = next(&mut replies).await {
                handed_out.hand_out(message);
            }
            handed_out.end();
        });
        Ok(Self {
            client,
            inbox,
            waiters,
        })
    }

    /// Returns an error if the broker is away: what is sent now would wait for it.
    pub(super) fn check(&self) -> io::Result<()> {
        if self.client.connection_state() == State::Connected {
            return Ok(());
        }
        let text = "the broker is away, and is connected to again";
        Err(io::Error::new(io::ErrorKind::NotConnected, text))
    }

    /// Takes a place for the answers to a request.
    pub(super) fn wait(&self, id: &str) -> Waiter {
        let (sender, messages) = unbounded_channel();
        let mut waiters = self.waiters.lock();
        waiters.insert(id.to_owned(), sender);
        drop(waiters);
        Waiter {
            waiters: Arc::clone(&self.waiters),
            id: id.to_owned(),
            messages,
        }
    }

    /// Waits until the broker has taken what was sent before, and all that it had sent by then has come.
    pub(super) async fn round_trip(&self) -> io::Result<()> {
        let id = new_id();
        let mut waiter = self.wait(&id);
        let sent = self.client.publish(self.reply_to(&id), Vec::new().into());
        sent.await.map_err(io::Error::other)?;
        match waiter.messages.recv().await {
            Some(_) => Ok(()),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Returns where answers to a request go.
    pub(super) fn reply_to(&self, id: &str) -> String {
        format!("{}.{id}", self.inbox)
    }
}

impl Waiters {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, UnboundedSender<Message>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a message to whom it is for; a late one is dropped.
    fn hand_out(&self, message: Message) {
        let id = message.subject.rsplit('.').next().unwrap_or_default();
        match self.lock().get(id) {
            Some(waiter) => drop(waiter.send(message)),
            None => tracing::debug!(id, "an answer comes late"),
        }
    }

    fn end(&self) {
        self.lock().clear();
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.waiters.lock().remove(&self.id);
    }
}

/// Returns the next message of a subscription; `None` at its end.
pub(super) async fn next(subscriber: &mut Subscriber) -> Option<Message> {
    std::future::poll_fn(|cx| Pin::new(&mut *subscriber).poll_next(cx)).await
}

/// Logs what happens to a connection.
fn log_event(name: &str, event: &Event) {
    match event {
        Event::Connected => tracing::info!("connection `{name}` to the broker stands"),
        Event::Disconnected => tracing::warn!("connection `{name}` to the broker is lost"),
        Event::SlowConsumer(_) => tracing::error!(
            "connection `{name}` takes messages more slowly than they come: some were dropped"
        ),
        event => tracing::info!("connection `{name}` to the broker: {event}"),
    }
}

fn servers(url: &RpcUrl) -> io::Result<Vec<ServerAddr>> {
    let servers = url.brokers().map(|broker| broker.parse::<ServerAddr>());
    let servers: Result<Vec<_>, _> = servers.collect();
    servers.map_err(|error| invalid(&format!("`rpc.url` names no broker: {error}")))
}

fn invalid(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

/// Waits the longer the more attempts have failed; the first is made at once.
fn delay(attempt: usize) -> Duration {
    let failures = u64::try_from(attempt.saturating_sub(1)).unwrap_or(u64::MAX);
    WAITS.after(failures).mul_f64(0.5 + fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_between_attempts_grow_to_a_bound() {
        assert_eq!(delay(1), Duration::ZERO);
        assert!((WAITS.first / 2..WAITS.first * 2).contains(&delay(2)));
        for attempt in [16, 1000, usize::MAX] {
            assert!(delay(attempt) <= WAITS.longest.mul_f64(1.5));
        }
    }
}
