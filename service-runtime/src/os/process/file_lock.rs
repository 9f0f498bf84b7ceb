//! The lock of a whole open file, which goes with its descriptors and not with a process.
//!
//! `File::try_lock` does the same from Rust 1.89 on.
#![expect(
    unsafe_code,
    reason = "no safe function of Rust 1.88 locks a file and leaves it locked when a guard is dropped"
)]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::libc;

/// Locks a file against every other opening of it; returns `false` if another one holds the lock.
///
/// The lock is given back when the last copy of the descriptor is closed.
///
/// # Errors
///
/// Returns the error of the operating system.
pub(crate) fn try_lock(file: &File) -> io::Result<bool> {
    let fd = file.as_raw_fd();
    // SAFETY: `flock` reads and writes no memory of this process; it only demands a number, and `fd` is
    // open until the end of this function, for as long as `file` is borrowed.
    let result = unsafe { libc::flock(fd, libc::LOCK_EX | libc::LOCK_NB) };
    match Errno::result(result) {
        Ok(_) => Ok(true),
        Err(Errno::EWOULDBLOCK) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_locked_against_its_other_openings_until_it_is_closed() {
        let path = std::env::temp_dir().join(format!("file-lock-{}", std::process::id()));
        let first = File::create(&path).unwrap();
        let second = File::open(&path).unwrap();
        assert!(try_lock(&first).unwrap());
        assert!(!try_lock(&second).unwrap());
        assert!(try_lock(&first).unwrap(), "one opening may lock twice");
        drop(first);
        assert!(try_lock(&second).unwrap());
        std::fs::remove_file(path).unwrap();
    }
}
