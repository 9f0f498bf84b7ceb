//! Connections of clients: one request each, not too many at a time, none for ever.

use std::convert::Infallible;
use std::os::fd::OwnedFd;
use std::os::unix::net;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, sleep_until};

use super::body::AnswerBody;
use super::peer::{Allowed, Caller};
use super::routes::{self, State};
use super::supervisor_link::SupervisorLink;
use crate::tasks::TaskGroup;

/// How many clients are answered at the same time; the others wait in the queue of the socket.
const CONNECTIONS: usize = 16;

/// The longest head of a request, in bytes; hyper takes no smaller limit.
const LONGEST_HEAD: usize = 8192;

/// How long a client may take to send its request, and then to take the answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The process ends when nobody has been connected for this long.
const IDLE: Duration = Duration::from_secs(5);

/// How long clients have when the program has ended.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Answers clients until nobody has been connected for a while, or the program ends.
///
/// Whoever connects at the last moment waits in the queue of the socket, and gets the next control process.
pub(super) async fn serve_clients(socket: OwnedFd, link: SupervisorLink) -> std::io::Result<()> {
    let listener = net::UnixListener::from(socket);
    listener.set_nonblocking(true)?;
    let listener = UnixListener::from_std(listener)?;
    let group = TaskGroup::new("control");
    let spawn = |name: &'static str, task| {
        let spawned = group.try_spawn(name, task);
        spawned.map(drop).map_err(std::io::Error::other)
    };
    spawn("alive", boxed(link.clone().stay_alive()))?;
    spawn("answers", boxed(link.clone().receive()))?;
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let state = Arc::new(State::new(link.clone()));
    let allowed = Allowed::of_this_process();
    let mut ended = pin!(link.ended());
    let mut idle_since = Instant::now();
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        tokio::select! {
            (place, accepted) = next => {
                idle_since = Instant::now();
                let Ok(place) = place else { return Ok(()) };
                match accepted {
                    Ok((stream, _)) => {
                        spawn("client", boxed(serve(stream, allowed, Arc::clone(&state), place)))?;
                    }
                    // Too many descriptors, say: those that are open end by and by.
                    Err(error) => {
                        tracing::debug!("cannot accept: {error}");
                        sleep(Duration::from_millis(100)).await;
                    }
                }
            }
            _ = &mut ended => {
                // Those who wait for the end are told of it.
                sleep_until_free(&places, LAST_WORDS).await;
                return Ok(());
            }
            () = sleep_until(idle_since + IDLE) => {
                if places.available_permits() == CONNECTIONS {
                    return Ok(());
                }
                idle_since = Instant::now();
            }
        }
    }
}

async fn sleep_until_free(places: &Semaphore, limit: Duration) {
    let all = u32::try_from(CONNECTIONS).unwrap_or(u32::MAX);
    // Whoever takes longer sees the end of the connection.
    let _ = tokio::time::timeout(limit, places.acquire_many(all)).await;
}

fn boxed(
    task: impl Future<Output = ()> + Send + 'static,
) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(task)
}

/// Answers one client.
async fn serve(
    stream: UnixStream,
    allowed: Allowed,
    state: Arc<State>,
    _place: OwnedSemaphorePermit,
) {
    let caller = match Caller::of(&stream) {
        Ok(caller) if allowed.admits(caller) => Some(caller),
        Ok(caller) => {
            let (uid, pid) = (caller.uid, caller.pid);
            tracing::warn!("refused a client of the control socket: pid {pid}, uid {uid}");
            None
        }
        Err(_) => None,
    };
    let answered = Arc::new(Notify::new());
    let service = service_fn(|request| {
        let (state, answered) = (Arc::clone(&state), Arc::clone(&answered));
        async move {
            let answer = match caller {
                Some(caller) => routes::answer(&state, caller, request).await,
                None => routes::not_allowed(),
            };
            // Events come for as long as they are followed; who is slow is dropped.
            if matches!(answer.body(), AnswerBody::Whole(_)) {
                answered.notify_one();
            }
            Ok::<_, Infallible>(answer)
        }
    });
    let mut builder = http1::Builder::new();
    let connection = builder
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(LONGEST_HEAD)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    let overdue = async {
        answered.notified().await;
        sleep(PATIENCE).await;
    };
    tokio::select! {
        ended = connection => {
            if let Err(error) = ended {
                tracing::debug!("a client of the control socket: {error}");
            }
        }
        () = overdue => tracing::debug!("a client of the control socket does not take its answer"),
    }
}
