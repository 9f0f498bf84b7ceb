//! A TCP echo over several workers: a listener that outlives them, and a stop that loses nothing.
//!
//! Run with
//!
//! ```text
//! cargo run --example echo
//! cargo run --example echo -- --workers 4 --set echo.listen=127.0.0.1:0
//! ```
//!
//! What to try, with `nc 127.0.0.1 7007` in another terminal or two:
//!
//! - Type a line: it comes back. The log names the worker that took the connection.
//! - `kill -9` that worker: its connections end, another takes its slot, and a new `nc` is served at
//!   once. The supervisor holds the socket, so no client is refused meanwhile.
//! - `kill` the supervisor: what you typed before is still answered, then the connections are closed
//!   and the program exits with 0.
//! - `--set echo.max_connections=1 --workers 1` and two `nc`: the second one waits for the first to
//!   end.
//! - Start it twice: the second says that the address is in use, and exits with 1.

use std::num::NonZeroUsize;

use serde::Deserialize;
use service_runtime::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The table `[echo]` of the configuration.
#[derive(Deserialize, Config)]
struct Settings {
    /// Where to listen.
    #[config(default = "127.0.0.1:7007")]
    listen: String,
    /// How many connections a worker has at a time; further ones wait in the accept queue.
    #[config(default = 1000)]
    max_connections: NonZeroUsize,
}

#[service]
struct Echo {
    listener: Listener,
    max_connections: NonZeroUsize,
}

#[service]
impl Echo {
    #[init]
    async fn new(settings: Settings, cx: &Context) -> Result<Self> {
        let listener = cx.listen(&settings.listen).await?;
        tracing::info!("listening on {}", listener.local_addr()?);
        Ok(Self {
            listener,
            max_connections: settings.max_connections,
        })
    }

    #[run]
    async fn accept(&self, cx: &Context) -> Result<()> {
        let connections = cx.tasks().limited(self.max_connections);
        while let Some(permit) = connections.reserve().await {
            let (stream, peer) = tokio::select! {
                accepted = self.listener.accept() => accepted?,
                () = cx.stopping() => break,
            };
            tracing::info!("connection from {peer}");
            permit.spawn(format!("connection from {peer}"), serve(stream, cx.clone()));
        }
        Ok(())
    }
}

async fn serve(stream: Stream, cx: Context) {
    if let Err(error) = echo(stream, cx).await {
        tracing::info!("connection lost: {error}");
    }
}

async fn echo(mut stream: Stream, cx: Context) -> std::io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        let length = tokio::select! {
            // In this order: what has come before the stop is read before the stop is seen.
            biased;
            length = stream.read(&mut buffer) => length?,
            () = cx.stopping() => 0,
        };
        if length == 0 {
            return stream.shutdown().await;
        }
        stream.write_all(&buffer[..length]).await?;
    }
}

#[launch(workers = 2)]
fn main() {}
