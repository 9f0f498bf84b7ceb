//! Sends a request to a socket of the directory, and reads the answer.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;
use tokio::net::UnixStream;
use tokio::time::{sleep, timeout_at};

use super::all::all;
use super::directory::{Directory, Kind};
use super::worker_socket::remove_if_dead;
use crate::backoff::Backoff;
use crate::rpc::frame::{self, FrameError};
use crate::rpc::transport::{Delivery, Outbound};

/// The waits for room in a full accept queue, or for a server that takes the request.
const WAITS: Backoff = Backoff::doubling(Duration::from_millis(1), Duration::from_millis(50));

/// What one socket made of a request.
enum Attempt {
    Done(Delivery),
    /// Nobody listens on this socket any more.
    Refused,
    /// It was given back before it began.
    GivenBack,
}

/// Sends a request to one of the servers of a target.
///
/// A server that refuses it, or gives it back, makes way for the next; so no request that may have
/// begun is sent twice.
pub(super) async fn deliver(directory: &Directory, outbound: &Outbound) -> io::Result<Delivery> {
    let mut waits = WAITS.delays();
    loop {
        let mut sockets = directory.servers(&outbound.target)?;
        fastrand::shuffle(&mut sockets);
        let mut given_back = false;
        for socket in sockets {
            match attempt(&socket, outbound).await? {
                Attempt::Done(delivery) => return Ok(delivery),
                Attempt::Refused => {}
                Attempt::GivenBack => given_back = true,
            }
        }
        if !given_back {
            return Ok(Delivery::Nobody);
        }
        if timeout_at(outbound.deadline, sleep(waits.take()))
            .await
            .is_err()
        {
            return Ok(Delivery::Nobody);
        }
    }
}

/// Sends a request to every worker of a topic, to all at the same time, and returns each answer.
///
/// A worker that is gone, or goes, is left out.
pub(super) async fn deliver_to_all(
    directory: &Directory,
    outbound: &Outbound,
) -> io::Result<Vec<Delivery>> {
    let sockets = directory.sockets(&outbound.target, Kind::Worker)?;
    let attempts = sockets.into_iter().map(|socket| async move {
        let attempt = attempt(&socket, outbound).await;
        if matches!(attempt, Ok(Attempt::Refused)) {
            remove_if_dead(&socket);
        }
        attempt
    });
    let mut deliveries = Vec::new();
    for attempt in all(attempts).await {
        match attempt? {
            Attempt::Done(delivery) => deliveries.push(delivery),
            Attempt::Refused | Attempt::GivenBack => {}
        }
    }
    Ok(deliveries)
}

async fn attempt(socket: &Path, outbound: &Outbound) -> io::Result<Attempt> {
    let deadline = outbound.deadline;
    let Ok(connected) = timeout_at(deadline, connect(socket)).await else {
        return Ok(Attempt::Done(Delivery::TimedOut));
    };
    let mut stream = match connected {
        Ok(stream) => stream,
        Err(error) if is_gone(&error) => return Ok(Attempt::Refused),
        // The listener was closed while this waited in its queue.
        Err(error) if was_unread(&error) => return Ok(Attempt::GivenBack),
        Err(error) => return Err(error),
    };
    match timeout_at(
        deadline,
        exchange(&mut stream, &outbound.frame, outbound.limit),
    )
    .await
    {
        Ok(attempt) => Ok(attempt),
        Err(_) => Ok(Attempt::Done(Delivery::TimedOut)),
    }
}

/// Connects; a full accept queue is waited for.
async fn connect(socket: &Path) -> io::Result<UnixStream> {
    let mut waits = WAITS.delays();
    loop {
        match UnixStream::connect(socket).await {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                sleep(waits.take_spread()).await;
            }
            connected => return connected,
        }
    }
}

async fn exchange(stream: &mut UnixStream, frame: &[u8], limit: usize) -> Attempt {
    // A server that refuses a request while it is written has said why before it closed.
    let unwritten = frame::write(stream, frame).await.is_err();
    match frame::read(stream, limit).await {
        Ok(answer) => Attempt::Done(Delivery::Answered(answer)),
        Err(_) if unwritten => Attempt::GivenBack,
        Err(FrameError::Io(error)) if was_unread(&error) => Attempt::GivenBack,
        Err(FrameError::Ended | FrameError::Io(_)) => Attempt::Done(Delivery::Lost),
        Err(error) => Attempt::Done(Delivery::Unreadable(error.into())),
    }
}

/// Returns whether nobody listens there.
fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotFound | ErrorKind::ConnectionRefused
    )
}

/// Returns whether the error says that the request was never read, as it does on Linux alone.
fn was_unread(error: &io::Error) -> bool {
    let reset = error.raw_os_error() == Some(Errno::ECONNRESET as i32);
    cfg!(target_os = "linux") && reset
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::net::UnixListener;
    use tokio::time::Instant;

    use super::*;
    use crate::rpc::address::Target;

    fn outbound(exchange: &str) -> Outbound {
        Outbound {
            target: Target {
                exchange: exchange.to_owned(),
                topic: "topic".to_owned(),
                server: None,
            },
            #[cfg(feature = "nats")]
            id: "1".to_owned(),
            frame: b"\0\0\0\x02{}".to_vec(),
            limit: 1024,
            deadline: Instant::now() + Duration::from_secs(30),
        }
    }

    /// A socket pair through a listener with an abstract name is not to be had by a path, so these use files.
    fn path(test: &str) -> std::path::PathBuf {
        let name = format!("rpc-connect-{test}-{}.server", std::process::id());
        std::env::temp_dir().join(name)
    }

    async fn try_once(path: &Path) -> Attempt {
        attempt(path, &outbound("rpc")).await.unwrap()
    }

    #[tokio::test]
    async fn a_socket_without_a_listener_refuses() {
        let path = path("refused");
        assert!(matches!(try_once(&path).await, Attempt::Refused));
        drop(UnixListener::bind(&path).unwrap());
        assert!(matches!(try_once(&path).await, Attempt::Refused));
        std::fs::remove_file(path).unwrap();
    }

    #[tokio::test]
    async fn a_request_that_nobody_accepted_is_given_back() {
        let path = path("queued");
        let listener = UnixListener::bind(&path).unwrap();
        let close = async {
            tokio::task::yield_now().await;
            drop(listener);
        };
        let (attempt, ()) = tokio::join!(try_once(&path), close);
        assert!(matches!(attempt, Attempt::GivenBack));
        std::fs::remove_file(path).unwrap();
    }

    #[tokio::test]
    async fn a_request_that_nobody_read_is_given_back() {
        let path = path("unread");
        let listener = UnixListener::bind(&path).unwrap();
        let close = async {
            let (stream, _) = listener.accept().await.unwrap();
            stream.readable().await.unwrap();
        };
        let (attempt, ()) = tokio::join!(try_once(&path), close);
        assert!(matches!(attempt, Attempt::GivenBack));
        std::fs::remove_file(path).unwrap();
    }

    #[tokio::test]
    async fn a_request_that_was_read_and_not_answered_is_lost() {
        let path = path("lost");
        let listener = UnixListener::bind(&path).unwrap();
        let close = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.read_exact(&mut [0; 6]).await.unwrap();
        };
        let (attempt, ()) = tokio::join!(try_once(&path), close);
        assert!(matches!(attempt, Attempt::Done(Delivery::Lost)));
        std::fs::remove_file(path).unwrap();
    }
}
