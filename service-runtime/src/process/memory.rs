//! Bytes handed to another process in a memory file.

use std::ffi::CStr;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::{BorrowedFd, OwnedFd};

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
pub(crate) fn read(fd: OwnedFd) -> io::Result<Vec<u8>> {
    let mut file = File::from(fd);
    file.seek(SeekFrom::Start(0))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
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
}
