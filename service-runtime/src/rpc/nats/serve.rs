//! The subscriptions of a server: what comes waits for a slot; what has no room is given back, and by a stop
//! what has not begun.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use async_nats::{HeaderMap, Message, Subscriber};
use futures_core::future::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, interval_at, timeout};

use super::discovery::Discovery;
use super::session::{Session, next};
use super::{BEAT, GIVEN_BACK, MONITOR, SIGN, subjects};
use crate::rpc::frame;
use crate::rpc::handling::{Caller, encode, handle};
use crate::rpc::id::new_id;
use crate::rpc::message::{Failure, Reply, Request};
use crate::rpc::server::Server;
use crate::rpc::transport::OwnAddress;

/// How many requests wait in a worker for each slot; further ones are given back, for nobody would hear of them.
const WAITING: usize = 16;
/// With this many digits a server of NATS takes the number for none, and ends a subscription at once, while the
/// client's part of it lives until the last message has come. `Subscriber::drain` of async-nats 0.50 lets it
/// end with the next thing that happens on the connection, and what the broker had sent by then is lost.
const LEAVE: u64 = 10_000_000_000;
/// How long the broker may take to take the last answers.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many signs of life a caller gets in the time in which it wants one.
const BEATS: u32 = 3;

/// What the subscriptions of a server share.
struct Served {
    server: Arc<Server>,
    session: Arc<Session>,
    slots: Arc<Semaphore>,
    /// Room for requests that wait or run.
    room: Arc<Semaphore>,
    most: u32,
}

/// Who sent a request over the broker.
struct Peer<'a> {
    served: &'a Served,
    message: &'a Message,
    /// How often it wants a sign of life.
    monitor: Option<Duration>,
}

/// Serves a topic on its subjects.
pub(super) async fn serve(
    session: Arc<Session>,
    server: Arc<Server>,
) -> anyhow::Result<Arc<dyn OwnAddress>> {
    let client = &session.client;
    let (target, topic) = (&server.target, server.topic());
    let id = new_id();
    let own = subjects::own(target, &id);
    let queue = || subjects::QUEUE.to_owned();
    let any = client.queue_subscribe(subjects::any(target), queue());
    let here = client.queue_subscribe(subjects::on(target, &server.name), queue());
    let subscriptions = [
        ("", true, any.await?),
        (" here", true, here.await?),
        (
            " to all",
            false,
            client.subscribe(subjects::all(target)).await?,
        ),
    ];
    let pings = client.subscribe(own.clone()).await?;
    let discovery = Discovery::subscribe(&session, &server, id).await?;
    // The broker has taken them when it answers this.
    client
        .flush()
        .await
        .context("the broker does not confirm the subscriptions")?;
    let slots = server.slots.get();
    let most = u32::try_from(slots.saturating_mul(WAITING + 1)).unwrap_or(u32::MAX);
    let served = Arc::new(Served {
        slots: Arc::new(Semaphore::new(slots)),
        room: Arc::new(Semaphore::new(most as usize)),
        most,
        server: Arc::clone(&server),
        session: Arc::clone(&session),
    });
    for (what, is_shared, subscription) in subscriptions {
        let taken = take(Arc::clone(&served), subscription, is_shared);
        server
            .cx
            .tasks()
            .try_spawn(format!("rpc {topic}{what}"), taken)?;
    }
    let answering = answer_pings(Arc::clone(&served), pings);
    server
        .cx
        .tasks()
        .background(format!("rpc pings {topic}"), answering);
    server
        .cx
        .tasks()
        .background(format!("rpc discovery {topic}"), discovery.answer());
    Ok(Arc::new(Address {
        session,
        subject: own,
        limit: server.limit,
    }))
}

/// Takes requests until the service stops, and what the broker has sent until then.
///
/// One that others may take as well is given back if there is no room: in the connection it would wait
/// without a sign of life, so that its caller would think it lost.
async fn take(served: Arc<Served>, mut subscription: Subscriber, is_shared: bool) {
    let cx = served.server.cx.clone();
    let (mut leaves, mut has_left) = (None, false);
    loop {
        let serves = leaves.is_none();
        let left = async {
            match &mut leaves {
                Some(leaves) if !has_left => Pin::as_mut(leaves).await,
                _ => std::future::pending().await,
            }
        };
        let message = tokio::select! {
            message = next(&mut subscription) => message,
            () = cx.stopping(), if serves => {
                // From here on others get what is sent; what has been sent here still comes.
                if let Err(error) = subscription.unsubscribe_after(LEAVE).await {
                    tracing::warn!("cannot leave a subject: {error}");
                    break;
                }
                let session = Arc::clone(&served.session);
                leaves = Some(Box::pin(async move { timeout(PATIENCE, session.round_trip()).await }));
                continue;
            }
            came = left => {
                has_left = true;
                if !matches!(came, Ok(Ok(()))) {
                    tracing::warn!("the broker has not confirmed that a subject was left");
                }
                // All has come: the subscription ends behind it.
                if subscription.unsubscribe().await.is_err() {
                    break;
                }
                continue;
            }
        };
        let Some(message) = message else {
            break;
        };
        let room = Arc::clone(&served.room);
        let room = if is_shared {
            room.try_acquire_owned().ok()
        } else {
            room.acquire_owned().await.ok()
        };
        let Some(room) = room else {
            let peer = Peer {
                served: &served,
                message: &message,
                monitor: None,
            };
            peer.send(Some(GIVEN_BACK), Vec::new()).await;
            continue;
        };
        let served = Arc::clone(&served);
        let waiting = one(served, message, room);
        if let Err(error) = cx.tasks().try_spawn("rpc request", waiting) {
            tracing::error!("a request is lost: {error}");
        }
    }
    if !cx.is_stopping() {
        cx.fail(anyhow::anyhow!(
            "a subscription of `{}` has ended",
            served.server.topic()
        ));
        return;
    }
    // What still runs answers over this connection.
    let _all = served.room.acquire_many(served.most).await;
    if timeout(PATIENCE, served.session.client.flush())
        .await
        .is_err()
    {
        tracing::warn!("the broker has not taken the last answers");
    }
}

/// Handles one request as soon as there is a slot.
async fn one(served: Arc<Served>, message: Message, _room: OwnedSemaphorePermit) {
    let received = Instant::now();
    let server = &served.server;
    let headers = message.headers.as_ref();
    let monitor = headers.and_then(|headers| headers.get(MONITOR)?.as_str().parse().ok());
    let monitor = monitor
        .map(Duration::from_millis)
        .filter(|monitor| !monitor.is_zero());
    let mut peer = Peer {
        served: &served,
        message: &message,
        monitor,
    };
    let slot = tokio::select! {
        biased;
        slot = served.slots.acquire() => slot,
        () = server.cx.stopping() => return peer.send(Some(GIVEN_BACK), Vec::new()).await,
        () = peer.gone() => return,
    };
    if slot.is_ok() {
        handle(server, &message.payload, received.into_std(), &mut peer).await;
    }
}

/// Answers the pings of this worker, which need no slot.
async fn answer_pings(served: Arc<Served>, mut pings: Subscriber) {
    while let Some(message) = next(&mut pings).await {
        let mut peer = Peer {
            served: &served,
            message: &message,
            monitor: None,
        };
        handle(
            &served.server,
            &message.payload,
            std::time::Instant::now(),
            &mut peer,
        )
        .await;
    }
}

impl Peer<'_> {
    async fn send(&self, sign: Option<&'static str>, body: Vec<u8>) {
        let Some(reply) = self.message.reply.clone() else {
            return;
        };
        let client = &self.served.session.client;
        let sent = match sign {
            Some(sign) => {
                let mut headers = HeaderMap::new();
                headers.insert(SIGN, sign);
                client
                    .publish_with_headers(reply, headers, body.into())
                    .await
            }
            None => client.publish(reply, body.into()).await,
        };
        if let Err(error) = sent {
            tracing::error!(topic = self.served.server.topic(), "cannot answer: {error}");
        }
    }
}

impl Caller for Peer<'_> {
    async fn answer(&mut self, reply: Reply) {
        let server = &self.served.server;
        let most = self.served.session.client.max_payload();
        let Ok(mut frame) = encode(server, &reply) else {
            return;
        };
        let length = frame.len() - frame::HEAD;
        if length > most {
            let text = format!(
                "an answer of {length} bytes is larger than `max_payload` of the broker, which is {most} bytes"
            );
            tracing::error!(topic = server.topic(), "cannot answer: {text}");
            match encode(server, &Reply::failed(Failure::no_answer(text))) {
                Ok(refusal) => frame = refusal,
                Err(_) => return,
            }
        }
        self.send(None, frame.split_off(frame::HEAD)).await;
    }

    /// A broker does not tell that a caller is gone: it is told that its call is not forgotten.
    async fn gone(&mut self) {
        let Some(monitor) = self.monitor.filter(|_| self.message.reply.is_some()) else {
            return std::future::pending().await;
        };
        let every = (monitor / BEATS).max(Duration::from_millis(1));
        let mut beats = interval_at(Instant::now() + every, every);
        loop {
            beats.tick().await;
            self.send(Some(BEAT), Vec::new()).await;
        }
    }
}

/// The subject of this worker.
struct Address {
    session: Arc<Session>,
    subject: String,
    limit: usize,
}

impl OwnAddress for Address {
    fn ping(&self) -> BoxFuture<'_, anyhow::Result<()>> {
        Box::pin(async {
            self.session.check()?;
            let request = Request::ping();
            let id = request.id.clone();
            let mut waiter = self.session.wait(&id);
            let mut frame = frame::encode(&request, self.limit)?;
            let body = frame.split_off(frame::HEAD);
            let reply = self.session.reply_to(&id);
            let client = &self.session.client;
            client
                .publish_with_reply(self.subject.clone(), reply, body.into())
                .await?;
            let answer = waiter
                .messages
                .recv()
                .await
                .context("the connection has ended")?;
            ensure!(
                answer.status.is_none(),
                "the broker has lost the subscription of this worker"
            );
            Reply::of_ping(&answer.payload)
        })
    }
}
