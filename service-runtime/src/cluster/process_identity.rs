//! Which process a worker is: told apart from any other, on this boot of this machine or another.

use std::fs;

/// A process, for as long as the machine is not started again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProcessIdentity {
    pub(super) pid: i64,
    /// When it was started, in the kernel's ticks.
    pub(super) started: i64,
    /// The boot of the machine and the namespace that the pid belongs to; empty if that cannot be told.
    pub(super) boot: String,
}

impl ProcessIdentity {
    /// Returns this process.
    pub(super) fn own() -> Self {
        let pid = i64::from(std::process::id());
        Self {
            pid,
            started: started(pid).unwrap_or(0),
            boot: boot(),
        }
    }

    /// Returns whether this process ran where `own` runs, and is gone.
    pub(super) fn is_gone(&self, own: &Self) -> bool {
        !self.boot.is_empty()
            && self.boot == own.boot
            && fs::exists("/proc/self/stat").unwrap_or(false)
            && started(self.pid) != Some(self.started)
    }
}

/// Reads when a process was started; none for one that is gone, or that is dead and not yet reaped.
fn started(pid: i64) -> Option<i64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name of the program may hold anything, so the fields are counted from its end.
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

fn boot() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    if id.is_empty() {
        return String::new();
    }
    format!("{} {}", id.trim(), namespace.display())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_gone_when_another_has_its_pid_and_not_when_it_ran_elsewhere() {
        let own = ProcessIdentity::own();
        assert!(own.started > 0);
        assert!(!own.is_gone(&own));
        let reused = ProcessIdentity {
            started: own.started - 1,
            ..own.clone()
        };
        assert!(reused.is_gone(&own));
        let elsewhere = ProcessIdentity {
            boot: "another boot".to_owned(),
            ..reused
        };
        assert!(!elsewhere.is_gone(&own));
    }
}
