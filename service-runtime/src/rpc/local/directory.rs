//! The directory in which the programs of a machine meet, and the sockets in it.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tokio::net::UnixListener;

use crate::rpc::address::Target;
use crate::rpc::config::RpcConfig;

/// How the sockets of servers end.
const SERVER: &str = "server";
/// How the sockets of workers end.
const WORKER: &str = "worker";

/// The directory of a machine's programs.
#[derive(Debug, Clone)]
pub(in crate::rpc) struct Directory(PathBuf);

impl Directory {
    /// Finds the directory of a configuration; nothing is created.
    pub(in crate::rpc) fn of(config: &RpcConfig) -> Self {
        Self(config.directory.clone().unwrap_or_else(default_path))
    }

    /// Creates the directory of a topic, and checks that nobody else can reach into it.
    pub(in crate::rpc) fn create(&self, target: &Target) -> anyhow::Result<()> {
        let shown = self.0.display();
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        let advice = || format!("cannot create `{shown}`, set `rpc.directory` to another one");
        builder.create(&self.0).with_context(advice)?;
        let found = fs::symlink_metadata(&self.0).with_context(advice)?;
        let user = nix::unistd::geteuid().as_raw();
        let mode = found.permissions().mode() & 0o777;
        anyhow::ensure!(
            found.is_dir() && found.uid() == user && mode & 0o077 == 0,
            "`{shown}` must be a directory of user {user} with mode 700, and it is {} of user {} with \
             mode {mode:o}: mend it, or set `rpc.directory` to another one",
            if found.is_dir() {
                "one"
            } else {
                "no directory"
            },
            found.uid(),
        );
        builder.create(self.topic(target)).with_context(advice)
    }

    fn topic(&self, target: &Target) -> PathBuf {
        let exchange = self.0.join(escape(&target.exchange));
        exchange.join(escape(&target.topic))
    }

    /// Returns where the socket of a server is.
    pub(in crate::rpc) fn server(&self, target: &Target, server: &str) -> PathBuf {
        self.topic(target)
            .join(format!("{}.{SERVER}", escape(server)))
    }

    /// Returns the sockets of the servers that a call may go to, in any order.
    pub(in crate::rpc) fn servers(&self, target: &Target) -> io::Result<Vec<PathBuf>> {
        if let Some(server) = &target.server {
            return Ok(vec![self.server(target, server)]);
        }
        self.sockets(target, SERVER)
    }

    /// Returns the sockets of all workers of a topic.
    pub(in crate::rpc) fn workers(&self, target: &Target) -> io::Result<Vec<PathBuf>> {
        self.sockets(target, WORKER)
    }

    fn sockets(&self, target: &Target, kind: &str) -> io::Result<Vec<PathBuf>> {
        let entries = match fs::read_dir(self.topic(target)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let paths = entries.map(|entry| Ok(entry?.path()));
        let paths: io::Result<Vec<PathBuf>> = paths.collect();
        let is_kind = |path: &PathBuf| path.extension().is_some_and(|end| end == kind);
        Ok(paths?.into_iter().filter(is_kind).collect())
    }
}

/// The socket of this worker, for what is said to all: it lives as long as the worker serves.
///
/// It is the worker's own, not its supervisor's: what was said before a worker began is not for it.
#[derive(Debug)]
pub(in crate::rpc) struct WorkerSocket {
    pub(in crate::rpc) listener: UnixListener,
    path: PathBuf,
}

impl WorkerSocket {
    /// Binds the socket of this process.
    pub(in crate::rpc) fn bind(
        directory: &Directory,
        target: &Target,
        server: &str,
    ) -> anyhow::Result<Self> {
        let name = format!("{}.{}.{WORKER}", escape(server), std::process::id());
        let path = directory.topic(target).join(name);
        // One of a process that had the same id before.
        remove(&path)?;
        let listener = UnixListener::bind(&path);
        let listener =
            listener.with_context(|| format!("cannot listen on `{}`", path.display()))?;
        Ok(Self { listener, path })
    }

    /// Lets nobody else find the socket.
    pub(in crate::rpc) fn hide(&self) {
        if let Err(error) = remove(&self.path) {
            tracing::warn!("cannot remove `{}`: {error}", self.path.display());
        }
    }
}

impl Drop for WorkerSocket {
    fn drop(&mut self) {
        self.hide();
    }
}

/// Removes a file that may be gone already.
pub(in crate::rpc) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn default_path() -> PathBuf {
    let user = nix::unistd::geteuid();
    match std::env::var_os("XDG_RUNTIME_DIR").filter(|path| !path.is_empty()) {
        Some(path) => Path::new(&path).join("rpc"),
        None if user.is_root() => PathBuf::from("/run/rpc"),
        None => std::env::temp_dir().join(format!("rpc-{user}")),
    }
}

/// Writes a name so that no two names make one file name, and none leaves the directory.
fn escape(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for (place, byte) in name.bytes().enumerate() {
        let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if plain || (byte == b'.' && place > 0) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02x}"));
        }
    }
    if escaped.is_empty() {
        escaped.push('%');
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_become_file_names_that_do_not_meet() {
        assert_eq!(escape("compute.host-7_a"), "compute.host-7_a");
        let names = ["", "%", ".", "..", "a/b", "a%2fb", "a b", "ä", "a", "../a"];
        let escaped: HashSet<_> = names.iter().map(|name| escape(name)).collect();
        assert_eq!(escaped.len(), names.len());
        assert!(
            escaped
                .iter()
                .all(|name| !name.contains('/') && !name.starts_with('.'))
        );
    }
}
