//! Clients of HTTP/2 that keep their connections until they are told to go away.

use std::error::Error;
use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use h2::client::SendRequest;
use tests::harness::LIMIT;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::LocalSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::load::{Tally, Target, Thoughts};

type Fault = Box<dyn Error>;

trait Stream: AsyncRead + AsyncWrite + Unpin {}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

/// Runs something on a runtime of its own.
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, future)
}

/// Asks with so many clients until it is told to stop.
pub(crate) fn ask_on(target: &Target, clients: usize, tally: &Tally) {
    run(async {
        let clients = (0..clients).map(|number| {
            let (target, tally) = (target.clone(), tally.clone());
            local(async move { one(number, &target, &tally).await })
        });
        for client in clients.collect::<Vec<_>>() {
            client.await.unwrap();
        }
    });
}

/// Spawns on this thread alone.
fn local(future: impl Future<Output = ()> + 'static) -> tokio::task::JoinHandle<()> {
    #[expect(clippy::disallowed_methods, reason = "a client is no service")]
    tokio::task::spawn_local(future)
}

async fn one(number: usize, target: &Target, tally: &Tally) {
    let mut thoughts = Thoughts::of(number);
    let mut kept: Option<SendRequest<bytes::Bytes>> = None;
    while tally.goes_on() {
        // A connection that is going away takes nothing more, and says so before it is asked.
        if let Some(client) = kept.take()
            && let Ok(client) = client.ready().await
        {
            kept = Some(client);
        }
        let begun = Instant::now();
        let asking = async {
            if kept.is_none() {
                kept = Some(connect(target).await?);
            }
            ask(kept.as_mut().ok_or("no connection")?, &target.address).await
        };
        let asked = timeout(LIMIT, asking).await;
        let failure = asked.map_or(Some("no answer".to_owned()), |asked| {
            asked.err().map(|error| error.to_string())
        });
        tally.asked(begun, failure.map(|failure| format!("{failure} (HTTP/2)")));
        sleep(thoughts.next()).await;
    }
}

/// Connects, and lets the connection run by itself.
pub(crate) async fn connect(target: &Target) -> Result<SendRequest<bytes::Bytes>, Fault> {
    let stream = TcpStream::connect(&target.address).await?;
    stream.set_nodelay(true)?;
    let stream: Box<dyn Stream> = match &target.tls {
        None => Box::new(stream),
        Some(tls) => {
            let mut tls = tls.as_ref().clone();
            tls.alpn_protocols = vec![b"h2".to_vec()];
            let name = ServerName::try_from("127.0.0.1")?;
            Box::new(
                TlsConnector::from(Arc::new(tls))
                    .connect(name, stream)
                    .await?,
            )
        }
    };
    let (client, connection) = h2::client::handshake(stream).await?;
    local(async {
        let _ = connection.await;
    });
    Ok(client.ready().await?)
}

async fn ask(client: &mut SendRequest<bytes::Bytes>, address: &str) -> Result<(), Fault> {
    let request = http::Request::get(format!("http://{address}/pid")).body(())?;
    let (answer, _) = client.send_request(request, true)?;
    let answer = answer.await?;
    let status = answer.status();
    let mut body = answer.into_body();
    let mut text = Vec::new();
    while let Some(piece) = body.data().await {
        text.extend_from_slice(&piece?);
    }
    let is_pid = String::from_utf8(text)?.parse::<u32>().is_ok();
    if status != 200 || !is_pid {
        return Err(format!("answered {status}").into());
    }
    Ok(())
}
