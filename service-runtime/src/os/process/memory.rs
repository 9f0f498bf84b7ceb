//! Bytes handed to another process in a memory file.

use std::ffi::CStr;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;

use nix::sys::memfd::{MFdFlags, memfd_create};

/// Puts `bytes` into a new memory file.
///
/// # Errors
///
/// Returns the error of the system call: no descriptors or no memory left.
pub(crate) fn file(name: &CStr, bytes: &[u8]) -> io::Result<OwnedFd> {
    let mut file = File::from(memfd_create(name, MFdFlags::MFD_CLOEXEC)?);
    file.write_all(bytes)?;
    Ok(file.into())
}

/// Writes `bytes` at the end of a memory file.
pub(crate) fn append(fd: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<()> {
    File::from(fd.try_clone_to_owned()?).write_all(bytes)
}

/// Reads a memory file from its beginning to its end.
///
/// Several processes may do so at the same time: the position, which all that hold the file share,
/// is neither used nor moved.
pub(crate) fn read(fd: OwnedFd) -> io::Result<Vec<u8>> {
    let file = File::from(fd);
    let length = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_into_a_memory_file_is_read_back() {
        let fd = file(c"test", b"one\ntwo").unwrap();
        assert_eq!(read(fd).unwrap(), b"one\ntwo");
    }

    #[test]
    fn reading_does_not_move_the_position_that_others_share() {
        use std::io::{Read, Seek, SeekFrom};

        let fd = file(c"test", b"one\ntwo").unwrap();
        let mut other = File::from(fd.try_clone().unwrap());
        other.seek(SeekFrom::Start(4)).unwrap();
        assert_eq!(read(fd).unwrap(), b"one\ntwo");
        let mut rest = String::new();
        other.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "two");
    }
}
