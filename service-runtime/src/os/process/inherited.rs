//! Descriptors that this process was started with: told by number, and taken by one owner each.
#![expect(
    unsafe_code,
    reason = "an inherited descriptor comes as a number that has to be owned"
)]

use std::collections::BTreeSet;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::sync::{Mutex, PoisonError};

use nix::fcntl::FdFlag;
use nix::libc;

/// The highest number of the standard descriptors, which belong to the process as a whole.
const LAST_STANDARD: RawFd = 2;

/// The numbers that were taken; one that was closed since and opened anew is nobody's inheritance.
static TAKEN: Mutex<BTreeSet<RawFd>> = Mutex::new(BTreeSet::new());

/// Why a descriptor cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InheritedError {
    /// No such descriptor is open, or it is a standard one.
    #[error("descriptor {0} was not passed to this process")]
    NotPassed(RawFd),
    /// Another variable of the environment names it too.
    #[error("descriptor {0} was passed twice, and the other one who takes it owns it")]
    Taken(RawFd),
}

/// Returns the flags of a descriptor, or nothing if it is not open.
pub(crate) fn flags(number: RawFd) -> Option<FdFlag> {
    // SAFETY: this command takes two integers and touches no memory; for a number that is not open the
    // answer is an error.
    let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
    (flags >= 0).then(|| FdFlag::from_bits_truncate(flags))
}

/// Takes a descriptor that whoever started this process left open for it.
///
/// To be called before the process opens descriptors of its own under numbers that it was told.
///
/// # Errors
///
/// Returns an error if it is not open, or was taken before.
pub(crate) fn take(number: RawFd) -> Result<OwnedFd, InheritedError> {
    if number <= LAST_STANDARD || flags(number).is_none() {
        return Err(InheritedError::NotPassed(number));
    }
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    if !taken.insert(number) {
        return Err(InheritedError::Taken(number));
    }
    // SAFETY: the number must be an open descriptor with no other owner.
    // It is open, as `flags` has just shown. Those who opened a descriptor in this process have not been
    // told a number by its starter; those who have come here, and `TAKEN` lets the first of them pass.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

#[cfg(test)]
mod tests {
    use nix::fcntl::{FcntlArg, fcntl};

    use super::*;

    #[test]
    fn a_descriptor_is_taken_once_and_only_while_it_is_open() {
        let (read, _write) = std::io::pipe().unwrap();
        // A number of its own: those below are used and given back by other tests.
        let number = fcntl(&read, FcntlArg::F_DUPFD_CLOEXEC(700)).unwrap();
        let taken = take(number).unwrap();
        assert_eq!(take(number).unwrap_err(), InheritedError::Taken(number));
        drop(taken);
        assert_eq!(flags(i32::MAX), None);
        let error = take(i32::MAX).unwrap_err();
        assert_eq!(error, InheritedError::NotPassed(i32::MAX));
        assert_eq!(take(2).unwrap_err(), InheritedError::NotPassed(2));
    }
}
