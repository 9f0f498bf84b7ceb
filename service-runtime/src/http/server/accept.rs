//! The accept loop, and the drain that follows it.

use std::sync::Arc;
use std::time::Duration;

use futures_core::future::BoxFuture;
use tokio::time::{Instant, sleep, sleep_until};

use super::Server;
use crate::http::Handler;
use crate::http::config::limit;
use crate::http::connection::drive;
use crate::listen::{Listener, Peer, Stream};
use crate::tasks::TaskGroup;

/// How much of the graceful timeout is left for what comes after a cut.
const REST: Duration = Duration::from_millis(250);

/// Serves until the service is to stop, and then drains.
pub(super) async fn run<H: Handler>(server: Arc<Server>, listeners: Vec<Listener>, handler: H) {
    let limited = server.tasks.limited(server.config.max_connections);
    // Its own handle, for every one of the loops holds a future over an await.
    let loops = TaskGroup::new("accept");
    for listener in listeners {
        let accepting = accept(
            Arc::clone(&server),
            limited.clone(),
            listener,
            handler.clone(),
        );
        if let Err(error) = loops.try_spawn("accept", accepting) {
            tracing::error!("cannot accept: {error}");
        }
    }
    drop(handler);
    server.cx.stopping().await;
    let deadline = deadline(&server);
    if let Some(delay) = limit(server.config.drain_delay) {
        tracing::info!(
            service = server.cx.name(),
            "no longer ready, accepting ends in {}",
            humantime::format_duration(delay)
        );
        sleep(delay).await;
    }
    loops.stop(false);
    loops.wait().await;
    drain(&server, deadline).await;
}

async fn accept<H: Handler>(
    server: Arc<Server>,
    limited: TaskGroup,
    listener: Listener,
    handler: H,
) {
    // A connection that is not accepted waits in the queue, where another worker finds it.
    while let Some(room) = limited.room().await {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                server.cx.fail(error);
                return;
            }
        };
        let serving = connection(&server, stream, peer, handler.clone());
        if room.spawn("connection", serving).is_err() {
            return;
        }
    }
}

fn connection<H: Handler>(
    server: &Arc<Server>,
    stream: Stream,
    peer: Peer,
    handler: H,
) -> BoxFuture<'static, ()> {
    let connection = server.opened(peer);
    match stream {
        #[cfg(feature = "tls")]
        Stream::Tcp(stream) if server.tls.is_some() => Box::pin(async move {
            let tls = connection.server.tls.as_ref();
            let Some(stream) = tls.map(|tls| tls.accept(stream)) else {
                return;
            };
            let shaking = async {
                match limit(connection.server.config.head_timeout) {
                    Some(time) => tokio::time::timeout(time, stream).await.ok()?.ok(),
                    None => stream.await.ok(),
                }
            };
            match shaking.await {
                Some(stream) => drive(connection, stream, handler).await,
                None => connection.server.closed(connection.id),
            }
        }),
        Stream::Tcp(stream) => Box::pin(drive(connection, stream, handler)),
        Stream::Unix(stream) => Box::pin(drive(connection, stream, handler)),
    }
}

/// Returns when a stop has to have ended, a little before the launcher ends it.
fn deadline(server: &Server) -> Option<Instant> {
    let key = "launch.graceful_shutdown_timeout";
    let timeout = server.cx.snapshot().option::<Duration>(key).ok()??;
    let timeout = limit(timeout)?;
    Some(Instant::now() + timeout.saturating_sub(REST.min(timeout / 10)))
}

async fn drain(server: &Arc<Server>, deadline: Option<Instant>) {
    server.begin_drain();
    let connections = server.lock().len();
    tracing::info!(service = server.cx.name(), connections, "draining");
    let drained = async {
        loop {
            let one_less = server.one_less.notified();
            tokio::pin!(one_less);
            one_less.as_mut().enable();
            if server.lock().is_empty() {
                return;
            }
            one_less.await;
        }
    };
    let in_time = tokio::select! {
        () = drained => true,
        () = at(deadline) => false,
    };
    if !in_time {
        cut(server);
    }
    server.tasks.stop(in_time);
    server.tasks.wait().await;
}

/// Says what is about to be cut.
fn cut(server: &Server) {
    let connections: Vec<_> = server.lock().values().cloned().collect();
    let now = server.now();
    let mut work: Vec<_> = connections.iter().flat_map(|it| it.work()).collect();
    work.sort_by_key(|work| work.since);
    let paths: Vec<_> = work
        .iter()
        .take(20)
        .map(|work| {
            let for_ = Duration::from_millis(now.saturating_sub(work.since));
            let for_ = humantime::format_duration(for_);
            format!("{} {} for {for_}", work.method, work.uri.path())
        })
        .collect();
    let text = format!(
        "the graceful timeout has passed: {} requests on {} connections are cut: {}{}",
        work.len(),
        connections.len(),
        paths.join(", "),
        if work.len() > paths.len() {
            ", …"
        } else {
            ""
        }
    );
    tracing::error!(service = server.cx.name(), "{text}");
    server.cx.fail(anyhow::Error::msg(text));
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
