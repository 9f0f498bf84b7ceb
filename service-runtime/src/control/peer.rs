//! Who may ask: the user of the program, and root.

use std::fs;

use nix::unistd::geteuid;
use tokio::net::UnixStream;

/// The process at the other end of a connection, as the kernel tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) uid: u32,
    /// Its pid, if it is one that this process can see.
    pub(super) pid: i32,
}

/// Whose connections are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Allowed {
    own: u32,
    /// The number that stands for every user without one here, in a user namespace that leaves some out.
    unmapped: Option<u32>,
}

impl Allowed {
    /// Finds out who this process is, and whether there are users without a number here.
    pub(super) fn of_this_process() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let unmapped = read("/proc/sys/kernel/overflowuid");
        Self {
            own: geteuid().as_raw(),
            unmapped: unmapped_in(&read("/proc/self/uid_map"), &unmapped),
        }
    }

    /// Returns whether a caller is answered.
    pub(super) fn admits(self, caller: Caller) -> bool {
        let is_nobody_known = self.unmapped == Some(caller.uid);
        (caller.uid == self.own || caller.uid == 0) && !is_nobody_known
    }
}

/// Returns the number of users without one, if the map of this namespace leaves any out.
fn unmapped_in(map: &str, overflow: &str) -> Option<u32> {
    let all = ["0", "0", "4294967295"];
    let has_all = map.lines().any(|line| line.split_whitespace().eq(all));
    let unmapped = overflow.trim().parse().unwrap_or(65534);
    (!has_all).then_some(unmapped)
}

impl Caller {
    /// Asks the kernel who has connected.
    ///
    /// # Errors
    ///
    /// Returns the error of the system; such a caller is not answered.
    pub(super) fn of(stream: &UnixStream) -> std::io::Result<Self> {
        let credentials = stream.peer_cred()?;
        Ok(Self {
            uid: credentials.uid(),
            pid: credentials.pid().unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(uid: u32) -> Caller {
        Caller { uid, pid: 7 }
    }

    #[test]
    fn the_user_of_the_program_and_root_are_answered_and_nobody_else() {
        let allowed = Allowed {
            own: 1000,
            unmapped: None,
        };
        let admitted = [0, 1000, 1001, 65534].map(|uid| allowed.admits(caller(uid)));
        assert_eq!(admitted, [true, true, false, false]);
    }

    #[test]
    fn a_user_without_a_number_is_never_taken_for_the_one_who_has_that_number() {
        let nobody = |unmapped| Allowed {
            own: 65534,
            unmapped,
        };
        assert!(nobody(None).admits(caller(65534)));
        assert!(!nobody(Some(65534)).admits(caller(65534)));
        assert_eq!(
            unmapped_in("         0          0 4294967295\n", "65534\n"),
            None
        );
        assert_eq!(unmapped_in("0 1000 1\n", "65534\n"), Some(65534));
        assert_eq!(unmapped_in("", ""), Some(65534));
    }
}
