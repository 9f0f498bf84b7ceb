//! Clients: a call or a cast to a topic, by hand or by the methods that `#[rpc]` writes.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde_json::value::to_raw_value;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::address::Target;
use super::call::Call;
use super::error::{Answer, CallError, MethodOutcome};
use super::frame;
use super::id::new_id;
use super::message::{RawArguments, Request};
use super::prepared::Prepared;
use super::sent::{Sent, widen};
use super::trace;
use super::transport::{Delivery, Outbound};
use super::version::Version;
use crate::service::Context;

/// Calls the methods of a topic.
///
/// Made by hand it needs no types; `#[rpc]` writes a client with a method for each of the service's.
/// A client is cheap and may be kept. While a call is handled, what it calls in turn gets its context, and
/// no more time than is left to it.
///
/// # Examples
///
/// ```no_run
/// # async fn example(cx: service_runtime::Context) -> anyhow::Result<()> {
/// use service_runtime::rpc::Client;
///
/// let client = Client::new(&cx, "compute").on("host7");
/// let answer = client.method("build").argument("image", "debian");
/// let answer = answer.call::<anyhow::Result<serde_json::Value>>().await?;
/// println!("{answer}");
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Client {
    cx: Context,
    topic: String,
    server: Option<String>,
    exchange: Option<String>,
    timeout: Option<Duration>,
    context: Map<String, Value>,
}

impl Client {
    /// Makes a client of a topic, which calls any one of its servers.
    pub fn new(cx: &Context, topic: impl Into<String>) -> Self {
        Self {
            cx: cx.clone(),
            topic: topic.into(),
            server: None,
            exchange: None,
            timeout: None,
            context: Map::new(),
        }
    }

    /// Calls this server alone.
    #[must_use]
    pub fn on(mut self, server: impl Into<String>) -> Self {
        self.server = Some(server.into());
        self
    }

    /// Calls in another exchange than that of `rpc.exchange`.
    #[must_use]
    pub fn exchange(mut self, exchange: impl Into<String>) -> Self {
        self.exchange = Some(exchange.into());
        self
    }

    /// Waits no longer than this for an answer, instead of `rpc.timeout`.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sends a value along, to this call and to all that follows from it.
    #[must_use]
    pub fn context(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.context.insert(key.into(), value.into());
        self
    }

    /// Begins a call of a method.
    pub fn method(&self, name: impl Into<String>) -> Outgoing {
        Outgoing {
            client: self.clone(),
            method: name.into(),
            namespace: None,
            version: Version::default(),
            idempotent: false,
            arguments: Ok(RawArguments::new()),
        }
    }
}

/// A call or a cast that has not been sent yet.
#[must_use = "nothing is sent before `call`, `cast` or `cast_to_all`"]
pub struct Outgoing {
    client: Client,
    method: String,
    namespace: Option<String>,
    version: Version,
    idempotent: bool,
    arguments: Result<RawArguments, serde_json::Error>,
}

impl Outgoing {
    /// Asks for a version of the interface; by default 1.0.
    pub fn version(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// Names the namespace of the method.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// Says that the method may run twice: it is sent again, within its time, when the server that had it
    /// died.
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Adds an argument; one that cannot be written as JSON makes the call fail before it is sent.
    pub fn argument(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        self.arguments = self.arguments.and_then(|mut arguments| {
            arguments.insert(name.into(), to_raw_value(&value)?);
            Ok(arguments)
        });
        self
    }

    /// Calls, and waits for the answer.
    ///
    /// # Errors
    ///
    /// Returns what became of the call instead, see [`CallError`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future tells the handler by [`Call::cancelled`]; it may run on.
    pub async fn call<R: MethodOutcome>(self) -> Answer<R> {
        let sent = self.prepare(false).map_err(widen)?;
        let delivery = sent.deliver().await.map_err(widen)?;
        let reply = sent.read(delivery).map_err(widen)?;
        let reply = sent.value(reply)?;
        let Some(result) = &reply.result else {
            return Err(sent.unknown("the answer has no result"));
        };
        serde_json::from_str(result.get()).map_err(|error| sent.unknown(error))
    }

    /// Sends the call to one server, and waits until it begins.
    ///
    /// # Errors
    ///
    /// Returns what became of the cast instead, see [`CallError`].
    pub async fn cast(self) -> Result<(), CallError> {
        let sent = self.prepare(true)?;
        let delivery = sent.deliver().await?;
        let reply = sent.read(delivery)?;
        sent.value(reply).map(drop)
    }

    /// Sends the call to every worker of every server of the topic, and waits until it begins in all.
    ///
    /// Nobody to send it to is no error, nor is a worker that stops or dies before it begins.
    ///
    /// # Errors
    ///
    /// Returns the first of what became of it instead, see [`CallError`].
    pub async fn cast_to_all(self) -> Result<(), CallError> {
        let sent = self.prepare(true)?;
        let deliveries = sent.deliver_to_all().await?;
        let replies = deliveries.into_iter().map(|delivery| match delivery {
            // It died; there is nobody any more who has not begun.
            Delivery::Lost => Ok(()),
            delivery => sent.value(sent.read(delivery)?).map(drop),
        });
        // Each was told already, whatever became of the others.
        replies.collect::<Vec<_>>().into_iter().collect()
    }

    fn prepare(self, cast: bool) -> Result<Sent, CallError> {
        let Self {
            client,
            method,
            namespace,
            version,
            idempotent,
            arguments,
        } = self;
        let not_sent = |source: Box<dyn std::error::Error + Send + Sync>| CallError::NotSent {
            method: method.clone(),
            source,
        };
        let prepared = Prepared::of(&client.cx).map_err(|error| not_sent(error.into()))?;
        let config = &prepared.config;
        let args = arguments.map_err(|error| not_sent(error.into()))?;
        let target = Target {
            exchange: client.exchange.unwrap_or_else(|| config.exchange.clone()),
            topic: client.topic,
            server: client.server,
        };
        let parent = Call::current();
        let remaining = parent.as_ref().and_then(Call::remaining);
        let own = client.timeout.unwrap_or(config.timeout);
        let timeout = remaining.map_or(own, |remaining| remaining.min(own));
        let mut context = parent.map_or_else(Map::new, |parent| parent.context().clone());
        trace::add_to(&mut context);
        context.extend(client.context);
        let timeout_ms = timeout.as_nanos().div_ceil(1_000_000);
        let timeout_ms = u64::try_from(timeout_ms).unwrap_or(u64::MAX);
        let request = Request {
            method: method.clone(),
            args,
            namespace,
            version: Some(version.to_string()),
            context,
            id: new_id(),
            timeout_ms: (!cast).then_some(timeout_ms),
            cast,
        };
        let limit = config.limit();
        let frame = frame::encode(&request, limit).map_err(|error| not_sent(error.into()))?;
        Ok(Sent {
            outbound: Outbound {
                target,
                #[cfg(feature = "nats")]
                id: request.id.clone(),
                frame,
                limit,
                deadline: Instant::now() + timeout,
            },
            prepared,
            method,
            idempotent,
            timeout,
        })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("topic", &self.topic)
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("client", &self.client)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}
