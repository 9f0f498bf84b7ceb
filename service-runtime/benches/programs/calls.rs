//! What a call costs, beside what carries it: a bare echo over a unix socket, a bare request over NATS.
//!
//! One worker serves `echo`, and calls itself. Each way is measured in turn, several rounds, and printed:
//! median and 99th percentile of one caller, and calls a second of 32. Nothing else is in the process.
//!
//! Run with: `cargo run --release -p service-runtime --example bench-calls --features nats -- --workers 1
//! [--set rpc.url=nats://127.0.0.1:4222]`, and the environment variable `ROUNDS` if not 5.

use std::future::Future;
use std::time::{Duration, Instant};

use service_runtime::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

/// How long one measurement takes.
const TIME: Duration = Duration::from_secs(1);
const CALLERS: usize = 32;
const TEXT: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

#[service]
#[derive(Default)]
struct Echo;

#[service]
impl Echo {
    #[rpc]
    async fn echo(&self, text: String) -> String {
        text
    }
}

#[service(after = "echo")]
#[derive(Default)]
struct Measure;

#[service]
impl Measure {
    #[run]
    async fn measure(&self, cx: &Context) -> Result<()> {
        let folder = std::env::temp_dir().join(format!("bench-calls-{}", std::process::id()));
        let listener = UnixListener::bind(&folder)?;
        cx.tasks().background("bare echo", bare_server(listener));
        let rounds = std::env::var("ROUNDS").ok().and_then(|it| it.parse().ok());
        let url = std::env::args().find_map(|it| it.strip_prefix("rpc.url=").map(str::to_owned));
        for round in 1..=rounds.unwrap_or(5) {
            println!("round {round}");
            // A connection for each, as a call over `local:` has.
            both("bare unix socket", || {
                let folder = folder.clone();
                async move {
                    let mut stream = UnixStream::connect(&folder).await?;
                    let length = u32::try_from(TEXT.len())?;
                    stream.write_all(&length.to_be_bytes()).await?;
                    stream.write_all(TEXT.as_bytes()).await?;
                    let mut answer = vec![0; TEXT.len()];
                    stream.read_exact(&mut answer).await?;
                    Ok(())
                }
            })
            .await?;
            if let Some(url) = &url {
                bare_nats(url, cx).await?;
            }
            let client = EchoClient::new(cx);
            let way = url.as_deref().unwrap_or("local:");
            both(&format!("a call over {way}"), || {
                let client = client.clone();
                async move {
                    client.echo(TEXT.to_owned()).await?;
                    Ok(())
                }
            })
            .await?;
        }
        std::fs::remove_file(&folder)?;
        Ok(())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the bare one has no group of tasks"
)]
async fn bare_server(listener: UnixListener) {
    while let Ok((stream, _)) = listener.accept().await {
        drop(tokio::spawn(bare_echo(stream)));
    }
}

async fn bare_echo(mut stream: UnixStream) -> std::io::Result<()> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).await?;
    let mut bytes = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut bytes).await?;
    stream.write_all(&bytes).await
}

/// A request with `async_nats` alone, answered by a queue group of one.
#[cfg(feature = "nats")]
async fn bare_nats(url: &str, cx: &Context) -> Result<()> {
    let client = async_nats::connect(url).await?;
    let mut asked = client
        .queue_subscribe("bench.echo", "bench".to_owned())
        .await?;
    client.flush().await?;
    let answering = client.clone();
    cx.tasks().background("bare nats", async move {
        while let Some(message) = next(&mut asked).await {
            if let Some(reply) = message.reply {
                drop(answering.publish(reply, message.payload).await);
            }
        }
    });
    both("bare async-nats", || {
        let client = client.clone();
        async move {
            client.request("bench.echo", TEXT.into()).await?;
            Ok(())
        }
    })
    .await
}

#[cfg(feature = "nats")]
async fn next(asked: &mut async_nats::Subscriber) -> Option<async_nats::Message> {
    use futures_core::Stream;
    std::future::poll_fn(|cx| std::pin::Pin::new(&mut *asked).poll_next(cx)).await
}

#[cfg(not(feature = "nats"))]
async fn bare_nats(_url: &str, _cx: &Context) -> Result<()> {
    anyhow::bail!("built without the feature `nats`")
}

/// Measures with one caller and with many.
async fn both<F: Future<Output = Result<()>> + Send + 'static>(
    what: &str,
    call: impl Fn() -> F,
) -> Result<()> {
    let (mut times, begun) = (Vec::new(), Instant::now());
    while begun.elapsed() < TIME {
        let at = Instant::now();
        call().await?;
        times.push(at.elapsed());
    }
    times.sort_unstable();
    let begun = Instant::now();
    let (mut calls, mut running) = (0_u32, tokio::task::JoinSet::new());
    for _ in 0..CALLERS {
        running.spawn(call());
    }
    while let Some(ended) = running.join_next().await {
        ended??;
        calls += 1;
        if begun.elapsed() < TIME {
            running.spawn(call());
        }
    }
    println!(
        "  {what}: p50 {:?}, p95 {:?}, p99 {:?}; {:.0} a second of {CALLERS}",
        times[times.len() / 2],
        times[times.len() * 95 / 100],
        times[times.len() * 99 / 100],
        f64::from(calls) / begun.elapsed().as_secs_f64(),
    );
    Ok(())
}

#[launch(workers = 1)]
fn main() -> (Echo, Measure) {
    (Echo, Measure)
}
