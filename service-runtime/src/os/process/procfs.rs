//! A look at another process from outside: what its threads are doing, and who watches it.

use std::fs;

use nix::unistd::Pid;

/// Returns whether a debugger has stopped the process or may do so.
pub(crate) fn is_traced(pid: Pid) -> bool {
    fs::read_to_string(format!("/proc/{pid}/status"))
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.strip_prefix("TracerPid:"))
        .any(|tracer| tracer.trim() != "0")
}

/// Returns whether the process is stopped: by SIGSTOP, or by job control.
pub(crate) fn is_stopped(pid: Pid) -> bool {
    fs::read_to_string(format!("/proc/{pid}/status"))
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.strip_prefix("State:"))
        .any(|state| state.trim_start().starts_with('T'))
}

/// Describes every thread of the process in a line: name, state, and where in the kernel it waits.
pub(crate) fn threads(pid: Pid) -> Vec<String> {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    entries
        .flatten()
        .map(|entry| {
            let read = |file: &str| fs::read_to_string(entry.path().join(file)).unwrap_or_default();
            let status = read("status");
            let state = status
                .lines()
                .find_map(|line| line.strip_prefix("State:"))
                .unwrap_or("");
            let wait = read("wchan");
            let wait = if wait.is_empty() || wait == "0" {
                "user code"
            } else {
                wait.trim()
            };
            format!(
                "thread {} `{}`: {}, in {wait}",
                entry.file_name().to_string_lossy(),
                read("comm").trim_end(),
                state.trim(),
            )
        })
        .collect()
}

/// Returns when a process was started, in the kernel's ticks; none for one that is gone, or that is dead and
/// not yet reaped.
#[cfg(feature = "metrics")]
pub(crate) fn started(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name of the program may hold anything, so the fields are counted from its end.
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

/// What one look at a process tells.
#[cfg(feature = "control")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Glance {
    /// What it does, as `/proc` has it: `R` runs, `S` sleeps, `T` is stopped, `Z` has ended.
    pub(crate) state: char,
    /// The resident memory, in bytes.
    pub(crate) resident: Option<u64>,
    pub(crate) threads: Option<u64>,
    /// Whether a debugger holds it.
    pub(crate) is_traced: bool,
}

/// Looks at a process; `None` if there is none of this number.
#[cfg(feature = "control")]
pub(crate) fn glance(pid: Pid) -> Option<Glance> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name));
    Some(Glance {
        state: field("State:")?.trim().chars().next()?,
        resident: kilobytes(&status, "VmRSS:"),
        threads: field("Threads:").and_then(|count| count.trim().parse().ok()),
        is_traced: field("TracerPid:").is_some_and(|tracer| tracer.trim() != "0"),
    })
}

/// The memory of a process, as far as it can be told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    /// What is in memory, in bytes.
    pub(crate) resident: Option<u64>,
    /// That, with each shared page divided among those that share it.
    pub(crate) proportional: Option<u64>,
}

/// Returns what memory a process has.
pub(crate) fn memory(pid: Pid) -> Memory {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    Memory {
        resident: kilobytes(&status, "VmRSS:"),
        proportional: kilobytes(&text, "Pss:"),
    }
}

/// Returns how many descriptors a process has open.
pub(crate) fn descriptors(pid: Pid) -> Option<usize> {
    Some(fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count())
}

/// Returns how many threads a process has.
pub(crate) fn thread_count(pid: Pid) -> Option<usize> {
    Some(fs::read_dir(format!("/proc/{pid}/task")).ok()?.count())
}

/// Reads a line such as `VmRSS:  1234 kB`, in bytes.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let size = text.lines().find_map(|line| line.strip_prefix(name))?;
    let size: u64 = size.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(size * 1024)
}

/// Returns the resident memory of this process in bytes, or 0 if it cannot be told.
pub(crate) fn own_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    kilobytes(&status, "VmRSS:").unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threads_of_this_process_are_described_and_its_memory_is_some() {
        let threads = threads(nix::unistd::getpid());
        assert!(
            threads
                .iter()
                .any(|line| line.contains("State") || line.contains("running"))
        );
        assert!(own_memory() > 100 * 1024);
    }
}
