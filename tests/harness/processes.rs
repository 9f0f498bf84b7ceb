//! Processes as `/proc` shows them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{self, Signal};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

use super::LIMIT;

/// Sends a signal.
///
/// # Panics
///
/// Panics if there is no such process.
#[track_caller]
pub fn kill(pid: Pid, signal: Signal) {
    if let Err(error) = signal::kill(pid, signal) {
        panic!("cannot send {signal} to {pid}: {error}");
    }
}

/// Returns the living children of a process, sorted; those that have ended and are not reaped do
/// not count.
pub fn children(pid: Pid) -> Vec<Pid> {
    let mut children: Vec<Pid> = all()
        .filter(|child| parent(*child) == Some(pid) && state(*child) != Some('Z'))
        .collect();
    children.sort_unstable();
    children
}

/// Returns the parent of a process; `None` if there is no such process.
pub fn parent(pid: Pid) -> Option<Pid> {
    let parent = stat(pid)?.get(1)?.parse().ok()?;
    Some(Pid::from_raw(parent))
}

/// Returns the state of a process, such as `Z` for one that waits to be reaped; `None` if there is
/// no such process.
pub fn state(pid: Pid) -> Option<char> {
    stat(pid)?.first()?.chars().next()
}

/// Returns how many descriptors a process has open.
///
/// # Panics
///
/// Panics if there is no such process.
#[track_caller]
pub fn descriptors(pid: Pid) -> usize {
    let Ok(open) = fs::read_dir(path(pid, "fd")) else {
        panic!("no process {pid}");
    };
    open.count()
}

/// Returns what the open descriptors of a process are, as the kernel names them, in order.
///
/// # Panics
///
/// Panics if there is no such process.
#[track_caller]
pub fn open_files(pid: Pid) -> Vec<String> {
    let Ok(open) = fs::read_dir(path(pid, "fd")) else {
        panic!("no process {pid}");
    };
    let mut names: Vec<String> = open
        .flatten()
        // One that was closed since the directory was read has no name any more, and is not open.
        .filter_map(|fd| Some(fs::read_link(fd.path()).ok()?.display().to_string()))
        .collect();
    names.sort();
    names
}

/// Returns how much resident memory a process has, in bytes.
///
/// # Panics
///
/// Panics if there is no such process.
#[track_caller]
pub fn memory(pid: Pid) -> u64 {
    let text = fs::read_to_string(path(pid, "status")).unwrap_or_default();
    let size = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let size = size.and_then(|size| size.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    size.unwrap_or_else(|| panic!("no process {pid}")) * 1024
}

/// Returns how long a process, without its children, has had a processor.
///
/// # Panics
///
/// Panics if there is no such process.
#[track_caller]
pub fn processor_time(pid: Pid) -> Duration {
    let fields = stat(pid).unwrap_or_default();
    // In ticks of a hundredth of a second on every Linux, in user and in kernel mode.
    let ticks = [11, 12].map(|place| {
        fields
            .get(place)
            .and_then(|ticks| ticks.parse::<u64>().ok())
    });
    match ticks {
        [Some(user), Some(kernel)] => Duration::from_millis((user + kernel) * 10),
        _ => panic!("no process {pid}"),
    }
}

/// Returns the children of a process that have ended and wait to be reaped.
pub fn zombies(pid: Pid) -> Vec<Pid> {
    all()
        .filter(|child| parent(*child) == Some(pid) && state(*child) == Some('Z'))
        .collect()
}

/// Returns whether there is no such process, or it has ended and waits to be reaped.
pub fn is_gone(pid: Pid) -> bool {
    matches!(state(pid), None | Some('Z'))
}

/// Changes a limit of a process, such as `--nofile=10:`; by util-linux's `prlimit`.
///
/// # Panics
///
/// Panics if that is refused.
#[track_caller]
pub fn prlimit(pid: Pid, limit: &str) {
    let mut command = Command::new("prlimit");
    let status = command.arg(format!("--pid={pid}")).arg(limit).status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "prlimit {limit} of {pid}"
    );
}

/// Makes this process, all tests of this file, the parent of what loses its parent.
///
/// # Panics
///
/// Panics if the system refuses.
pub fn become_reaper() {
    nix::sys::prctl::set_child_subreaper(true).expect("every process may");
}

/// Waits for the end of a process that has lost its parent; see [`become_reaper`].
///
/// # Panics
///
/// Panics if it does not end, or is no child of this process.
#[track_caller]
pub fn exit_of_orphan(pid: Pid) -> WaitStatus {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || tell.send(waitpid(pid, None)));
    match told.recv_timeout(LIMIT) {
        Ok(Ok(status)) => status,
        Ok(Err(error)) => panic!("cannot wait for {pid}: {error}"),
        Err(_) => panic!("{pid} still runs"),
    }
}

/// Waits for a state of the system that nobody tells about: a descriptor that is closed, say.
///
/// # Panics
///
/// Panics if it does not become true.
#[track_caller]
pub fn until(what: &str, mut is_true: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !is_true() {
        assert!(
            Instant::now() < deadline,
            "not true within the limit: {what}"
        );
        thread::sleep(Duration::from_millis(2));
    }
}

/// Returns every living process whose first environment has this text in it.
pub(super) fn marked(marker: &str) -> Vec<Pid> {
    let marked = |pid: &Pid| {
        let environment = fs::read(path(*pid, "environ")).unwrap_or_default();
        environment
            .split(|byte| *byte == 0)
            .any(|variable| variable == marker.as_bytes())
    };
    all().filter(marked).collect()
}

fn all() -> impl Iterator<Item = Pid> {
    let entries = fs::read_dir("/proc").expect("this is Linux");
    entries.flatten().filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        Some(Pid::from_raw(pid))
    })
}

/// Returns the fields of `stat` from the state on.
fn stat(pid: Pid) -> Option<Vec<String>> {
    let text = fs::read_to_string(path(pid, "stat")).ok()?;
    // The name stands in parentheses and may itself hold anything.
    let (_, rest) = text.rsplit_once(')')?;
    Some(rest.split_whitespace().map(str::to_owned).collect())
}

fn path(pid: Pid, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/{name}"))
}
