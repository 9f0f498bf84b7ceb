//! The sockets of a server: whom it lets in, and how a stop gives back what has not begun.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use tokio::net::{UnixListener, UnixStream};

use super::connection;
use super::directory::{Directory, remove};
use super::ping::OwnSockets;
use super::worker_socket::WorkerSocket;
use crate::listen::ListenOptions;
use crate::rpc::server::Server;
use crate::rpc::transport::OwnAddress;
use crate::service::Context;
use crate::tasks::TaskGroup;

/// How many connections wait in the accept queue.
const BACKLOG: u32 = 4096;

/// Serves a topic on its sockets.
pub(super) async fn serve(
    directory: &Directory,
    server: Arc<Server>,
) -> anyhow::Result<Arc<dyn OwnAddress>> {
    let (cx, target, topic) = (&server.cx, &server.target, server.topic());
    directory.create(target)?;
    let path = directory.server(target, &server.name);
    let shared = listen(cx, &path).await.with_context(|| {
        format!("cannot serve {target}: a second program needs another `rpc.host`")
    })?;
    WorkerSocket::remove_dead(directory, target);
    let own = WorkerSocket::bind(directory, target, &server.name)?;
    let sockets = OwnSockets::bind(directory, target, &server.name, path.clone())?;
    let slots = cx.tasks().limited(server.slots);
    let asked = accept(Arc::clone(&server), shared, path, slots);
    cx.tasks().try_spawn(format!("rpc {topic}"), asked)?;
    let told = cx.tasks().limited(server.slots);
    let told = accept_own(Arc::clone(&server), own, told);
    cx.tasks().try_spawn(format!("rpc {topic} to all"), told)?;
    Ok(Arc::new(sockets.serve(server)))
}

async fn listen(cx: &Context, path: &Path) -> anyhow::Result<UnixListener> {
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
    if accept_from(&server, &listener, &slots, "calls")
        .await
        .is_err()
    {
        return;
    }
    // Other workers take what waits; unless there are none, and callers must not wait for nobody.
    if server.cx.program_ends() {
        if let Err(error) = remove(&path) {
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
    // A failure is the service's, which knows of it.
    let _ = accept_from(&server, &socket.listener, &slots, "what is told to all").await;
}

/// The service has failed.
struct Failed;

/// Accepts until the service stops, whoever has a free slot to be served in.
async fn accept_from(
    server: &Arc<Server>,
    listener: &UnixListener,
    slots: &TaskGroup,
    what: &str,
) -> Result<(), Failed> {
    while let Some(permit) = slots.reserve().await {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = server.cx.stopping() => break,
        };
        match accepted {
            Ok((stream, _)) => drop(permit.spawn("rpc connection", serve_one(server, stream))),
            Err(error) => {
                let error = anyhow::Error::new(error).context(format!("cannot accept {what}"));
                server.cx.fail(error);
                return Err(Failed);
            }
        }
    }
    Ok(())
}

fn serve_one(
    server: &Arc<Server>,
    stream: UnixStream,
) -> impl Future<Output = ()> + Send + 'static {
    connection::serve(Arc::clone(server), stream)
}
