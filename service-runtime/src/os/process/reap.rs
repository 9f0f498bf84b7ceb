//! Orphans that a process 1 inherits.

use nix::errno::Errno;
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;

use super::child::Ended;

/// Returns whether this process is the init of its pid namespace, and so inherits orphans.
pub(crate) fn is_init() -> bool {
    nix::unistd::getpid().as_raw() == 1
}

/// Reaps ended children until it meets one that `is_known`, or none is left.
///
/// A known one is left for its owner, who reaps it by its pidfd; the kernel gives the ended
/// children in no promised order, so the caller reaps its own first and then calls this.
pub(crate) fn strangers(is_known: impl Fn(Pid) -> bool) -> Vec<(Pid, Ended)> {
    let mut reaped = Vec::new();
    let peek = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    loop {
        let pid = match waitid(Id::All, peek) {
            Ok(status) => status.pid(),
            Err(Errno::EINTR) => continue,
            Err(_) => None,
        };
        let Some(pid) = pid.filter(|pid| !is_known(*pid)) else {
            return reaped;
        };
        let status = waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG);
        match status.ok().and_then(Ended::of) {
            Some(ended) => reaped.push((pid, ended)),
            None => return reaped,
        }
    }
}
