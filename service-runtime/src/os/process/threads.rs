//! The threads of this process: how many, and what they are called.

use std::fs;
use std::os::unix::fs::MetadataExt;

/// How many links the directory of a process's threads has besides one a thread: `.` and `..`.
const OWN_LINKS: u64 = 2;

/// Returns the name and id of every thread but the calling one, sorted by id.
///
/// An unreadable `/proc` gives an empty list: then the fork goes on unguarded, as it would without
/// this look.
pub(crate) fn others() -> Vec<Thread> {
    if alone() {
        return Vec::new();
    }
    let own = nix::unistd::gettid().as_raw();
    let Ok(entries) = fs::read_dir("/proc/self/task") else {
        return Vec::new();
    };
    let mut threads: Vec<Thread> = entries
        .flatten()
        .filter_map(|entry| {
            let id = entry.file_name().to_str()?.parse().ok()?;
            let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
            Some(Thread {
                id,
                name: name.trim_end().to_owned(),
            })
        })
        .filter(|thread| thread.id != own)
        .collect();
    threads.sort_by_key(|thread| thread.id);
    threads
}

/// Returns whether the calling thread is the only one, without a look at each: one system call.
///
/// The count of links is Linux's own habit; where it says anything else, the threads are listed.
fn alone() -> bool {
    fs::metadata("/proc/self/task").is_ok_and(|tasks| tasks.nlink() == OWN_LINKS + 1)
}

/// One thread of this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Thread {
    /// The kernel's id of the thread.
    pub(crate) id: i32,
    /// The name, cut by the kernel to 15 bytes.
    pub(crate) name: String,
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_running_thread_is_listed_by_its_name() {
        let (stop, stopped) = mpsc::channel::<()>();
        let (running, started) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("stray".to_owned())
            .spawn(move || {
                running.send(()).unwrap();
                let _ = stopped.recv();
            })
            .unwrap();
        started.recv().unwrap();
        assert!(!alone());
        assert!(others().iter().any(|thread| thread.name == "stray"));
        drop(stop);
        thread.join().unwrap();
    }
}
