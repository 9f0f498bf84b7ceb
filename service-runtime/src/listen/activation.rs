//! Sockets that systemd, or whoever speaks its protocol, passed to this process.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::os::process::inherited;

/// The variables of the protocol.
///
/// Whoever takes the sockets removes these from the environment before it starts a thread or
/// a child; to a child they would promise sockets that it does not have.
pub(crate) const VARIABLES: [&str; 4] = [
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
    "LISTEN_PID",
    "LISTEN_PIDFDID",
];

/// Why the sockets that were passed cannot be taken.
#[derive(Debug, thiserror::Error)]
#[error("cannot take the sockets that LISTEN_FDS, LISTEN_FDNAMES and LISTEN_PID promise")]
pub(crate) struct ActivationError(#[source] io::Error);

/// Set by the first call of [`take`].
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Takes every descriptor that was passed to this process, with its name, closed on exec.
///
/// Only the first call can return any. Variables that name another process are ignored.
pub(super) fn take() -> Result<Vec<(String, OwnedFd)>, ActivationError> {
    if TAKEN.swap(true, Ordering::Relaxed) {
        return Ok(Vec::new());
    }
    // The crate's call that returns the names too fails if the names are another process's.
    let numbers = sd_notify::listen_fds().map_err(ActivationError)?;
    let names = names(std::env::var("LISTEN_FDNAMES").ok(), numbers.len())?;
    // LISTEN_PID is this process, so the numbers were in use before `main`.
    let own = |(number, name)| match inherited::take(number) {
        Ok(fd) => Ok((name, fd)),
        Err(error) => Err(ActivationError(io::Error::other(error))),
    };
    numbers.zip(names).map(own).collect()
}

/// Reads the names of `count` descriptors; without any, each is called as systemd calls it.
fn names(list: Option<String>, count: usize) -> Result<Vec<String>, ActivationError> {
    let names: Vec<String> = match list {
        _ if count == 0 => Vec::new(),
        None => vec!["unknown".to_owned(); count],
        Some(list) => list.split(':').map(str::to_owned).collect(),
    };
    if names.len() == count {
        return Ok(names);
    }
    let reason = format!(
        "LISTEN_FDS passes {count} and LISTEN_FDNAMES names {}",
        names.len()
    );
    Err(ActivationError(io::Error::new(
        io::ErrorKind::InvalidInput,
        reason,
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(list: Option<&str>, count: usize) -> Result<Vec<String>, ActivationError> {
        names(list.map(str::to_owned), count)
    }

    #[test]
    fn each_descriptor_has_a_name() {
        assert_eq!(named(Some("web:admin"), 2).unwrap(), ["web", "admin"]);
        assert_eq!(named(Some("web:"), 2).unwrap(), ["web", ""]);
        assert_eq!(named(None, 2).unwrap(), ["unknown", "unknown"]);
    }

    #[test]
    fn names_without_descriptors_are_another_process_s() {
        assert!(named(Some("web"), 0).unwrap().is_empty());
    }

    #[test]
    fn a_wrong_number_of_names_is_refused() {
        let error = named(Some("web"), 2).unwrap_err();
        let source = std::error::Error::source(&error).unwrap();
        assert_eq!(
            source.to_string(),
            "LISTEN_FDS passes 2 and LISTEN_FDNAMES names 1"
        );
    }
}
