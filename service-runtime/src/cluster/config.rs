//! The tables `[store]` and `[membership]`.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::config::{Config, Section};

pub(super) const STORE: &str = "store";
pub(super) const MEMBERSHIP: &str = "membership";

/// Where the store is.
#[derive(Clone, PartialEq, Deserialize, Config)]
pub(super) struct StoreConfig {
    /// `sqlite:/path/to/file`, or `postgres://user:password@host/database`; by default a file of SQLite in
    /// the state directory.
    #[config(secret)]
    pub(super) url: Option<String>,
    /// Whether a service waits at its start until the store answers. Without it, it starts, and gets its
    /// record once the store is there.
    #[config(default = true)]
    pub(super) required: bool,
}

/// How the services of this program are known to others.
#[derive(Debug, Clone, PartialEq, Deserialize, Config)]
pub(super) struct MembershipConfig {
    /// Whether services have a record and an entry for each worker.
    #[config(default = true)]
    pub(super) enabled: bool,
    /// The name of this host; by default the machine's.
    pub(super) host: Option<String>,
    /// How often a worker says that it lives. `0` for never: then it has no entry.
    #[config(default = "10s")]
    pub(super) interval: Duration,
    /// After which silence a worker counts as down.
    #[config(default = "60s", range = "1ms"..)]
    pub(super) down_after: Duration,
    /// After which silence the entry of a worker that is down goes away.
    #[config(default = "1h")]
    pub(super) forget_after: Duration,
    /// How long a lease lasts that is not renewed: after that time another takes over from a dead holder.
    #[config(default = "15s", range = "100ms"..)]
    pub(super) lease: Duration,
    /// Whether to start, with a warning, although a peer is older than this program supports.
    #[config(default = false)]
    pub(super) allow_old_peers: bool,
}

impl MembershipConfig {
    /// Returns `down_after`, or two and a half intervals if it is not longer than one.
    pub(super) fn effective_down_after(&self) -> Duration {
        if self.down_after <= self.interval {
            self.interval * 5 / 2
        } else {
            self.down_after
        }
    }

    /// Returns the name of this host.
    pub(super) fn host(&self) -> String {
        match &self.host {
            Some(host) if !host.is_empty() => host.clone(),
            _ => nix::unistd::gethostname().map_or_else(
                |_| "localhost".to_owned(),
                |name| name.to_string_lossy().into_owned(),
            ),
        }
    }
}

impl fmt::Debug for StoreConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreConfig")
            .field("required", &self.required)
            .finish_non_exhaustive()
    }
}

/// Returns the tables of a program that is part of a cluster.
pub(crate) fn sections() -> [Section; 2] {
    [
        Section::of::<StoreConfig>(STORE)
            .of_framework()
            .doc("Where services keep what all of them know: records, members, leases."),
        Section::of::<MembershipConfig>(MEMBERSHIP)
            .of_framework()
            .doc("How the services of this program are known to others."),
    ]
}

/// Returns the folder of files that a program keeps: the service manager's, or the user's.
pub(super) fn state_directory(program: &str) -> PathBuf {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    // systemd lists several folders with colons; the first is the program's own.
    if let Some(folders) = variable("STATE_DIRECTORY")
        && let Some(first) = std::env::split_paths(&folders).next()
    {
        return first;
    }
    if nix::unistd::geteuid().is_root() {
        return PathBuf::from("/var/lib").join(program);
    }
    let home = || variable("HOME").map(|home| PathBuf::from(home).join(".local/state"));
    let user = variable("XDG_STATE_HOME").map(PathBuf::from).or_else(home);
    user.unwrap_or_else(std::env::temp_dir).join(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(interval: u64, down_after: u64) -> MembershipConfig {
        MembershipConfig {
            enabled: true,
            host: None,
            interval: Duration::from_secs(interval),
            down_after: Duration::from_secs(down_after),
            forget_after: Duration::from_secs(3600),
            lease: Duration::from_secs(15),
            allow_old_peers: false,
        }
    }

    #[test]
    fn a_worker_is_never_down_between_two_beats() {
        let after = |interval, down| config(interval, down).effective_down_after();
        assert_eq!(after(10, 60), Duration::from_secs(60));
        assert_eq!(after(10, 11), Duration::from_secs(11));
        assert_eq!(after(10, 10), Duration::from_secs(25));
        assert_eq!(after(10, 5), Duration::from_secs(25));
    }

    #[test]
    fn the_address_of_the_store_is_in_no_debug_output() {
        let config = StoreConfig {
            url: Some("postgres://me:s3cret@db/x".to_owned()),
            required: true,
        };
        assert!(!format!("{config:?}").contains("s3cret"));
    }
}
