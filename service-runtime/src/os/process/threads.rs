//! The threads of this process: how many, and what they are called.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The threads of this process.
const TASKS: &str = "/proc/self/task";

/// How many links the directory of a process's threads has besides one a thread: `.` and `..`.
const OWN_LINKS: u64 = 2;

/// Returns the name and id of every thread but the calling one, sorted by id.
///
/// # Errors
///
/// Returns an error where the threads cannot be counted: without a readable `/proc`.
pub(crate) fn others() -> io::Result<Vec<Thread>> {
    others_in(Path::new(TASKS))
}

fn others_in(tasks: &Path) -> io::Result<Vec<Thread>> {
    if is_alone(tasks) {
        return Ok(Vec::new());
    }
    let own = nix::unistd::gettid().as_raw();
    let entries = fs::read_dir(tasks)?.collect::<io::Result<Vec<_>>>()?;
    let mut threads: Vec<Thread> = entries
        .into_iter()
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
    Ok(threads)
}

/// Returns whether the calling thread is the only one, without a look at each: one system call.
///
/// The count of links is Linux's own habit; where it says anything else, the threads are listed.
fn is_alone(tasks: &Path) -> bool {
    fs::metadata(tasks).is_ok_and(|tasks| tasks.nlink() == OWN_LINKS + 1)
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
        assert!(!is_alone(Path::new(TASKS)));
        assert!(
            others()
                .unwrap()
                .iter()
                .any(|thread| thread.name == "stray")
        );
        drop(stop);
        thread.join().unwrap();
    }

    #[test]
    fn threads_that_cannot_be_counted_are_an_error_and_not_none() {
        let error = others_in(Path::new("/nowhere/at/all")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
