//! The pid file: its lock keeps a second instance out, whatever stands in it.
//!
//! The lock belongs to the open file, which only the supervisor keeps: a child that is forked closes
//! its copy, and the kernel gives the lock back when the supervisor dies, however it dies. Whose the
//! file is stands in it: only the process that it names removes it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::libc::O_NOFOLLOW;

use super::Privileges;

use crate::os::process::file_lock;

/// How often the file may be taken away between its opening and its locking.
const TRIES: usize = 100;

/// A locked pid file; on drop it is removed by the process that it names.
#[derive(Debug)]
pub(crate) struct PidFile {
    path: PathBuf,
    file: File,
    is_inherited: bool,
}

/// Why there is no pid file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PidFileError {
    /// Another instance has locked it.
    #[error("another instance is running, {who}: it holds `{}`", path.display())]
    Running {
        /// Its process, as far as the file tells.
        who: String,
        /// The file.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot lock the pid file `{}`", path.display())]
    Os {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        why: io::Error,
    },
}

impl PidFile {
    /// Locks the file, or a new one, and writes this process's pid into it.
    ///
    /// # Errors
    ///
    /// Returns the pid of the instance that has locked it, or the error of the operating system.
    pub(crate) fn take(path: &Path) -> Result<Self, PidFileError> {
        let refused = |why| PidFileError::Os {
            path: path.to_owned(),
            why,
        };
        // The process may change its directory later.
        let path = &std::path::absolute(path).map_err(refused)?;
        for _ in 0..TRIES {
            let file = open(path).map_err(refused)?;
            match file_lock::try_lock(&file) {
                Ok(true) => {}
                Ok(false) => {
                    let who = owner(&file);
                    let path = path.clone();
                    return Err(PidFileError::Running { who, path });
                }
                Err(why) => return Err(refused(why)),
            }
            // The instance before may have removed it between the two calls.
            if is_at(&file, path) {
                let path = path.clone();
                let taken = Self {
                    path,
                    file,
                    is_inherited: false,
                };
                taken.rewrite(std::process::id()).map_err(refused)?;
                return Ok(taken);
            }
        }
        Err(refused(io::Error::other("it is removed again and again")))
    }

    /// Tells whether [`take`](Self::take) would find a place for the file; another instance may run.
    ///
    /// # Errors
    ///
    /// Returns the error of the operating system.
    #[cfg(feature = "cli")]
    pub(crate) fn check(path: &Path) -> Result<(), PidFileError> {
        let refused = |why: io::Error| PidFileError::Os {
            path: path.to_owned(),
            why,
        };
        let absolute = std::path::absolute(path).map_err(refused)?;
        match fs::symlink_metadata(&absolute) {
            Ok(found) if found.is_symlink() => {
                return Err(refused(io::Error::other("it is a symbolic link")));
            }
            Ok(found) if !found.is_file() => {
                return Err(refused(io::Error::other("it is no regular file")));
            }
            _ => {}
        }
        let place = match absolute.exists() {
            true => &*absolute,
            false => absolute.parent().unwrap_or(&absolute),
        };
        nix::unistd::access(place, nix::unistd::AccessFlags::W_OK)
            .map_err(|errno| refused(errno.into()))
    }

    /// Says why the user that the program runs as cannot remove the file at its end, or make a new one at an
    /// upgrade, if that is so. It is asked of that user's rights: root made the file.
    pub(crate) fn is_kept_from(path: &Path, privileges: &Privileges) -> Option<String> {
        let path = std::path::absolute(path).ok()?;
        let folder = path.parent()?;
        let may = privileges.may_write_in(folder);
        let may = may && !privileges.is_kept_by_sticky(folder, &path);
        let user = privileges.user()?;
        (!may).then(|| {
            let (path, folder) = (path.display(), folder.display());
            format!(
                "the pid file `{path}` is not removed at the end but emptied, because user {user} may not \
                 write in `{folder}`: give it a directory of that user's"
            )
        })
    }

    /// Keeps the locked file of the process that is to be replaced, if it is this one, or locks it.
    ///
    /// A file that was handed over names that process until it is [written anew](Self::rewrite).
    pub(crate) fn of(path: &Path, inherited: Option<OwnedFd>) -> Result<Self, PidFileError> {
        if let (Some(fd), Ok(path)) = (inherited, std::path::absolute(path)) {
            let file = File::from(fd);
            if is_at(&file, &path) {
                return Ok(Self {
                    path,
                    file,
                    is_inherited: true,
                });
            }
        }
        Self::take(path)
    }

    /// Returns whether it was that of the process to be replaced before.
    pub(crate) fn is_inherited(&self) -> bool {
        self.is_inherited
    }

    /// Writes a pid into the file.
    pub(crate) fn rewrite(&self, pid: u32) -> io::Result<()> {
        let text = format!("{pid}\n");
        // Written before it is cut: a reader never finds nothing.
        self.file.write_all_at(text.as_bytes(), 0)?;
        self.file.set_len(text.len() as u64)
    }
}

impl AsFd for PidFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        let own = format!("{}\n", std::process::id());
        if !is_at(&self.file, &self.path) || text(&self.file) != own {
            return;
        }
        if let Err(error) = fs::remove_file(&self.path) {
            // The directory is another user's, to whom this process belonged at first.
            let emptied = self.file.set_len(0);
            tracing::debug!(emptied = emptied.is_ok(), "the pid file stays: {error}");
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o644)
        .custom_flags(O_NOFOLLOW)
        .open(path);
    opened.map_err(|error| match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ELOOP) => io::Error::other("it is a symbolic link"),
        _ => error,
    })
}

/// Returns whether the path leads to this very file.
fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(held), Ok(found)) = (file.metadata(), fs::symlink_metadata(path)) else {
        return false;
    };
    (held.dev(), held.ino()) == (found.dev(), found.ino())
}

/// Says who has locked the file, as far as it tells.
fn owner(file: &File) -> String {
    match text(file).trim().parse::<u32>() {
        Ok(pid) => format!("pid {pid}"),
        Err(_) => "which has not told its pid yet".to_owned(),
    }
}

/// Returns what stands in the file. The position, which a child has in common, is not moved.
fn text(file: &File) -> String {
    let mut bytes = [0; 32];
    let length = file.read_at(&mut bytes, 0).unwrap_or(0);
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str) -> PathBuf {
        let own = std::process::id();
        std::env::temp_dir().join(format!("service-runtime-pid-{own}-{name}"))
    }

    #[test]
    fn a_second_instance_is_told_the_pid_of_the_first() {
        let path = place("second");
        fs::write(&path, "1\n").unwrap();
        let first = PidFile::take(&path).unwrap();
        let own = std::process::id();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{own}\n"));
        let error = PidFile::take(&path).unwrap_err().to_string();
        assert!(error.contains(&format!("running, pid {own}")), "{error}");
        drop(first);
        assert!(!path.exists());
    }

    #[test]
    fn a_file_that_is_handed_over_stays_locked_and_is_removed_by_whom_it_names() {
        let path = place("takeover");
        let old = PidFile::take(&path).unwrap();
        let fd = || Some(old.as_fd().try_clone_to_owned().unwrap());
        let failed = PidFile::of(&path, fd()).unwrap();
        old.rewrite(7).unwrap();
        drop(failed);
        assert_eq!(fs::read_to_string(&path).unwrap(), "7\n");
        let takeover = PidFile::of(&path, fd()).unwrap();
        drop(old);
        assert!(PidFile::take(&path).is_err());
        takeover.rewrite(std::process::id()).unwrap();
        drop(takeover);
        assert!(!path.exists());
    }

    #[test]
    fn a_file_of_another_name_is_locked_anew() {
        let (path, other) = (place("mine"), place("inherited"));
        let inherited = PidFile::take(&other).unwrap();
        let fd = inherited.as_fd().try_clone_to_owned().unwrap();
        let own = PidFile::of(&path, Some(fd)).unwrap();
        assert!(path.exists());
        drop((own, inherited));
        assert!(!path.exists() && !other.exists());
    }

    #[test]
    fn a_file_that_is_another_by_now_is_left_alone() {
        let path = place("another");
        let held = PidFile::take(&path).unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, "another").unwrap();
        drop(held);
        assert_eq!(fs::read_to_string(&path).unwrap(), "another");
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_symbolic_link_is_not_followed() {
        let (path, target) = (place("link"), place("target"));
        std::os::unix::fs::symlink(&target, &path).unwrap();
        assert!(PidFile::take(&path).is_err());
        assert!(!target.exists());
        fs::remove_file(path).unwrap();
    }
}
