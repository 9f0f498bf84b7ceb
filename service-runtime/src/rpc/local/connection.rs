//! One connection: a request, and its answer.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::rpc::frame::{self, FrameError};
use crate::rpc::handling::{Caller, encode, handle, refuse};
use crate::rpc::message::Reply;
use crate::rpc::server::Server;
use crate::rpc::stats::Refusal;

/// How long a caller may take to send its request, and to take its answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Who stands at the other end of a connection.
struct Peer {
    server: Arc<Server>,
    stream: UnixStream,
}

/// Reads a request, handles it and answers.
pub(super) async fn serve(server: Arc<Server>, mut stream: UnixStream) {
    let read = timeout(PATIENCE, frame::read(&mut stream, server.limit)).await;
    let mut peer = Peer {
        server: Arc::clone(&server),
        stream,
    };
    match read {
        Err(_) => {
            server.stats.refused(Refusal::Unreadable);
            tracing::warn!(topic = server.topic(), "a caller sends nothing");
        }
        Ok(Ok(body)) => handle(&server, &body, Instant::now(), &mut peer).await,
        Ok(Err(FrameError::Ended)) => {}
        Ok(Err(error)) => {
            let refusal = match error {
                FrameError::TooLarge { .. } => Refusal::TooLarge,
                _ => Refusal::Unreadable,
            };
            refuse(&server, &mut peer, refusal, &error.to_string()).await;
        }
    }
}

impl Caller for Peer {
    async fn answer(&mut self, reply: Reply) {
        let topic = self.server.topic();
        let Ok(frame) = encode(&self.server, &reply) else {
            return;
        };
        match timeout(PATIENCE, frame::write(&mut self.stream, &frame)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(topic, "the caller is gone: {error}"),
            Err(_) => tracing::warn!(topic, "a caller does not take its answer"),
        }
    }

    async fn gone(&mut self) {
        // A caller sends one request: what can be read now is the end, or what nobody asked for.
        while self.stream.readable().await.is_ok() {
            match self.stream.try_read(&mut [0; 64]) {
                Ok(0) => return,
                Err(error) if error.kind() != ErrorKind::WouldBlock => return,
                _ => {}
            }
        }
    }
}
