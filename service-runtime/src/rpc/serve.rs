//! A server: its sockets, whom it lets in, and how a stop gives back what has not begun.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::net::{UnixListener, UnixStream};

use super::address::Target;
use super::config::RpcConfig;
use super::connection;
use super::dispatch::Dispatch;
use super::local::{Directory, WorkerSocket};
use super::method::Method;
use super::server::Server;
use crate::listen::ListenOptions;
use crate::service::Context;
use crate::tasks::TaskGroup;

/// How many connections wait in the accept queue.
const BACKLOG: u32 = 4096;

/// Serves methods under a topic, as tasks of the service, until it stops.
///
/// `#[rpc]` methods are served under the name of their service; this is for a program that makes its
/// [`Method`]s by hand. Calls that are in progress when the service stops run to their end; those that
/// have not begun are given back to their callers, who find another server.
///
/// # Errors
///
/// Returns an error if two methods would answer the same request, or the sockets cannot be made.
pub async fn serve(
    cx: &Context,
    topic: impl Into<String>,
    methods: Vec<Method>,
) -> anyhow::Result<()> {
    let topic = topic.into();
    let dispatch = Dispatch::new(methods)?;
    let config = RpcConfig::of(cx)?;
    let name = config.server()?;
    let target = Target {
        exchange: config.exchange.clone(),
        topic: topic.clone(),
        server: Some(name.clone()),
    };
    let directory = Directory::of(&config);
    directory.create(&target)?;
    let path = directory.server(&target, &name);
    let shared = listen(cx, &path).await.with_context(|| {
        format!("cannot serve {target}: a second program needs another `rpc.host`")
    })?;
    let own = WorkerSocket::bind(&directory, &target, &name)?;
    tracing::info!(service = cx.name(), "serving calls of {target}");
    let server = Arc::new(Server {
        limit: config.limit(),
        cx: cx.clone(),
        topic,
        dispatch,
    });
    let slots = cx.tasks().limited(config.slots);
    let asked = accept(Arc::clone(&server), shared, path, slots);
    cx.tasks().try_spawn("rpc", asked)?;
    let told = cx.tasks().limited(config.slots);
    cx.tasks()
        .try_spawn("rpc to all", accept_own(server, own, told))?;
    Ok(())
}

async fn listen(cx: &Context, path: &std::path::Path) -> anyhow::Result<UnixListener> {
    let address = format!("unix:{}", path.display());
    let user = nix::unistd::geteuid().as_raw();
    let options = ListenOptions::try_from(address.as_str())?;
    let options = options.backlog(BACKLOG).mode(0o600).owner(Some(user), None);
    let listener = cx.listen_with(options).await?;
    let listener = listener.into_unix();
    listener.map_err(|_| anyhow::anyhow!("`{}` is no unix socket", path.display()))
}

/// Accepts what is for any worker of this server, as long as there is a free slot.
async fn accept(server: Arc<Server>, listener: UnixListener, path: PathBuf, slots: TaskGroup) {
    while let Some(permit) = slots.reserve().await {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = server.cx.stopping() => break,
        };
        match accepted {
            Ok((stream, _)) => drop(permit.spawn("rpc connection", serve_one(&server, stream))),
            Err(error) => {
                let error = anyhow::Error::new(error).context("cannot accept calls");
                server.cx.fail(error);
                return;
            }
        }
    }
    // Other workers take what waits; unless there are none, and callers must not wait for nobody.
    if server.cx.program_ends() {
        if let Err(error) = super::local::remove(&path) {
            tracing::warn!("cannot remove `{}`: {error}", path.display());
        }
        let group = server.cx.tasks().clone();
        group.background("rpc give back", async move {
            while listener.accept().await.is_ok() {}
        });
    }
}

/// Accepts what is for this worker, which is told to all.
async fn accept_own(server: Arc<Server>, socket: WorkerSocket, slots: TaskGroup) {
    while let Some(permit) = slots.reserve().await {
        let accepted = tokio::select! {
            accepted = socket.listener.accept() => accepted,
            () = server.cx.stopping() => break,
        };
        match accepted {
            Ok((stream, _)) => drop(permit.spawn("rpc connection", serve_one(&server, stream))),
            Err(error) => {
                let error = anyhow::Error::new(error).context("cannot accept what is told to all");
                server.cx.fail(error);
                return;
            }
        }
    }
}

fn serve_one(
    server: &Arc<Server>,
    stream: UnixStream,
) -> impl Future<Output = ()> + Send + 'static {
    connection::serve(Arc::clone(server), stream)
}
