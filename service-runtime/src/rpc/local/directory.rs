//! The directory in which the programs of a machine meet, and the sockets in it.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::rpc::address::{self, Target};
use crate::rpc::config::RpcConfig;

/// What a socket is for; its file ends in this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Calls to a server.
    Server,
    /// What is said to all workers.
    Worker,
    /// The pings of a worker to itself.
    Ping,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Worker => "worker",
            Self::Ping => "ping",
        }
    }
}

/// The directory of a machine's programs.
#[derive(Debug, Clone)]
pub(super) struct Directory(PathBuf);

impl Directory {
    /// Finds the directory of a configuration; nothing is created.
    pub(super) fn of(config: &RpcConfig) -> Self {
        Self(config.directory.clone().unwrap_or_else(default_path))
    }

    /// Creates the directory of a topic, and checks that nobody else can reach into it.
    pub(super) fn create(&self, target: &Target) -> anyhow::Result<()> {
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
    pub(super) fn server(&self, target: &Target, server: &str) -> PathBuf {
        let name = format!("{}.{}", escape(server), Kind::Server.name());
        self.topic(target).join(name)
    }

    /// Returns where a socket of a worker is.
    pub(super) fn of_worker(&self, kind: Kind, target: &Target, server: &str, pid: u32) -> PathBuf {
        let name = format!("{}.{pid}.{}", escape(server), kind.name());
        self.topic(target).join(name)
    }

    /// Returns the sockets of the servers that a call may go to, in any order.
    pub(super) fn servers(&self, target: &Target) -> io::Result<Vec<PathBuf>> {
        if let Some(server) = &target.server {
            return Ok(vec![self.server(target, server)]);
        }
        self.sockets(target, Kind::Server)
    }

    /// Returns the sockets of a topic that are for the same.
    pub(super) fn sockets(&self, target: &Target, kind: Kind) -> io::Result<Vec<PathBuf>> {
        let entries = match fs::read_dir(self.topic(target)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let paths = entries.map(|entry| Ok(entry?.path()));
        let paths: io::Result<Vec<PathBuf>> = paths.collect();
        let is_kind = |path: &PathBuf| path.extension().is_some_and(|end| end == kind.name());
        Ok(paths?.into_iter().filter(is_kind).collect())
    }
}

/// Removes a file that may be gone already.
pub(super) fn remove(path: &Path) -> io::Result<()> {
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
    address::escape(name, |place, byte| byte == b'.' && place > 0)
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
