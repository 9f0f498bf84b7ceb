//! The accept loop, and the drain that follows it.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use futures_core::future::BoxFuture;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::Server;
use super::bind::Bound;
use super::drive::drive;
use crate::http::Handler;
use crate::http::config::limit;
use crate::http::connection::{Agreed, Purpose, Socket};
use crate::listen::{Peer, Stream};
use crate::tasks::TaskGroup;

/// How many connections of a listener for health a worker has at a time.
const PROBES: NonZeroUsize = NonZeroUsize::new(64).expect("it is not zero");

/// How much of the graceful timeout is left for what comes after a cut.
const REST: Duration = Duration::from_millis(250);

/// How long the second half of letting a TCP client in may take: a way there and back.
#[cfg(workers)]
const HALF_WAY: Duration = Duration::from_millis(20);

/// How many connections are taken out of the queue at the end: no queue is longer.
const AT_ONCE: usize = 4096;

/// Serves until the service is to stop, and then drains.
pub(super) async fn run<H: Handler>(server: Arc<Server>, listeners: Vec<Bound>, handler: H) {
    let limited = server.tasks.limited(server.shared.config.max_connections);
    // Who asks how it goes gets an answer also when there is no room for anybody else.
    let asking = server.tasks.limited(PROBES);
    // Its own handle, for every one of the loops holds a future over an await.
    let loops = TaskGroup::new("accept");
    for bound in listeners {
        let limited = match bound.purpose {
            Purpose::Health => asking.clone(),
            _ => limited.clone(),
        };
        let accepting = accept(
            Arc::clone(&server),
            limited,
            bound,
            handler.clone(),
            loops.stop_token(),
        );
        if let Err(error) = loops.try_spawn("accept", accepting) {
            tracing::error!("cannot accept: {error}");
        }
    }
    drop(handler);
    server.shared.cx.stopping().await;
    let end = end_of(&server);
    if let Some(delay) = limit(server.shared.config.drain_delay) {
        tracing::info!(
            service = server.shared.cx.name(),
            "no longer ready, accepting ends in {}",
            humantime::format_duration(delay)
        );
        tokio::select! {
            () = sleep(delay) => {}
            () = at(end) => {}
        }
    }
    loops.stop(true);
    loops.wait().await;
    drain(&server, end).await;
}

async fn accept<H: Handler>(
    server: Arc<Server>,
    limited: TaskGroup,
    Bound { listener, purpose }: Bound,
    handler: H,
    over: CancellationToken,
) {
    let next = async || Some((limited.reserve().await?, listener.accept().await));
    // A connection that is not accepted waits in the queue, where another worker finds it.
    while let Some(Some((permit, accepted))) = over.run_until_cancelled(next()).await {
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                server.shared.cx.fail(error);
                return;
            }
        };
        let serving = connection(&server, stream, (peer, purpose), handler.clone());
        drop(permit.spawn("connection", serving));
    }
    // Unless there is no other worker: so who was let in is served, and whoever comes later refused.
    #[cfg(workers)]
    if server.shared.cx.program_ends() {
        match listener.let_nobody_in() {
            // Who is half let in gets in meanwhile.
            Ok(()) => listener.half_let_in(HALF_WAY).await,
            Err(error) => tracing::debug!(%error, "the queue of a listener cannot be closed"),
        }
    }
    for (stream, peer) in std::iter::from_fn(|| listener.take()).take(AT_ONCE) {
        let serving = connection(&server, stream, (peer, purpose), handler.clone());
        if server.tasks.try_spawn("connection", serving).is_err() {
            return;
        }
    }
}

fn connection<H: Handler>(
    server: &Arc<Server>,
    stream: Stream,
    (peer, purpose): (Peer, Purpose),
    handler: H,
) -> BoxFuture<'static, ()> {
    let connection = server.connections.add(&server.shared, peer, purpose);
    let (builder, parts) = (Arc::clone(&server.builder), Arc::clone(&server.parts));
    match stream {
        #[cfg(feature = "tls")]
        Stream::Tcp(stream) if server.tls.is_some() && purpose != Purpose::Health => {
            let server = Arc::clone(server);
            Box::pin(async move {
                let tls = server.tls.as_ref();
                let Some(stream) = tls.map(|tls| tls.accept(stream)) else {
                    return;
                };
                let shaken = tokio::select! {
                    stream = stream => stream.ok(),
                    () = patience(&server) => None,
                };
                if let Some(stream) = shaken {
                    let agreed = stream.get_ref().1.alpn_protocol();
                    // Without ALPN it is HTTP/1.1.
                    let agreed = match agreed {
                        Some(b"h2") => Agreed::Http2,
                        _ => Agreed::Http1,
                    };
                    let socket = Socket::new(stream, connection, agreed);
                    drive(socket, handler, builder, parts).await;
                }
            })
        }
        Stream::Tcp(stream) => {
            let socket = Socket::new(stream, connection, Agreed::Nothing);
            Box::pin(drive(socket, handler, builder, parts))
        }
        Stream::Unix(stream) => {
            let socket = Socket::new(stream, connection, Agreed::Nothing);
            Box::pin(drive(socket, handler, builder, parts))
        }
    }
}

/// Waits for as long as a client may take to agree on keys.
#[cfg(feature = "tls")]
async fn patience(server: &Server) {
    let lingered = async {
        server.shared.drain().cancelled().await;
        sleep(server.shared.config.linger).await;
    };
    let time = limit(server.shared.config.head_timeout);
    tokio::select! {
        () = at(time.map(|time| Instant::now() + time)) => {}
        () = lingered => {}
    }
}

/// Returns when the stop that has begun is about to be cut off; what is left of the time then is for
/// the log.
fn end_of(server: &Server) -> Option<Instant> {
    let limit = server.shared.cx.stop_limit()?;
    Some(Instant::now() + limit.saturating_sub(REST.min(limit / 10)))
}

async fn drain(server: &Arc<Server>, end: Option<Instant>) {
    server.shared.begin_drain();
    let connections = server.connections.count();
    tracing::info!(service = server.shared.cx.name(), connections, "draining");
    let drained = server.connections.all_closed();
    tokio::pin!(drained);
    let in_time = tokio::select! {
        biased;
        () = &mut drained => true,
        () = at(end) => false,
    };
    if !in_time {
        let text = format!("the time for the stop has passed: {}", in_flight(server));
        tracing::error!(service = server.shared.cx.name(), "{text}");
        server.shared.cx.fail(anyhow::Error::msg(text));
    }
    server.tasks.stop(in_time);
    server.tasks.wait().await;
}

/// Says what is about to be cut: how much, and the paths of those that have taken longest.
fn in_flight(server: &Server) -> String {
    let connections = server.connections.all();
    let now = Instant::now();
    let mut work: Vec<_> = connections.iter().flat_map(|it| it.work()).collect();
    work.sort_by_key(|work| work.begun);
    let paths: Vec<_> = work
        .iter()
        .take(20)
        .map(|work| {
            let for_ = now.saturating_duration_since(work.begun).as_millis();
            let for_ = Duration::from_millis(u64::try_from(for_).unwrap_or(u64::MAX));
            let for_ = humantime::format_duration(for_);
            format!("{} {} for {for_}", work.method, work.uri.path())
        })
        .collect();
    let more = if work.len() > paths.len() {
        ", …"
    } else {
        ""
    };
    let (requests, connections) = (work.len(), connections.len());
    let paths = paths.join(", ");
    format!("{requests} requests on {connections} connections are cut: {paths}{more}")
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
