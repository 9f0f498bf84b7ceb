//! What a child that checks a configuration answers to the process that has forked it.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use crate::exit::Exit;
use crate::os::process::child::Ended;
use crate::os::process::memory;

/// Makes the memory that the child writes its answer to.
///
/// # Errors
///
/// Returns the error of the operating system.
pub(crate) fn memory_for_answer() -> io::Result<OwnedFd> {
    memory::file(c"service-runtime-check", b"")
}

/// In the child: writes what was found to be right, or to be wrong, and returns the code to exit with.
pub(crate) fn answer_check(answer: &OwnedFd, checked: Result<Vec<u8>, String>) -> i32 {
    let (bytes, exit) = match checked {
        Ok(bytes) => (bytes, Exit::Done),
        Err(text) => (text.into_bytes(), Exit::Config),
    };
    match memory::append(answer.as_fd(), &bytes) {
        Ok(()) => exit.code().into(),
        Err(_) => Exit::Failed.code().into(),
    }
}

/// Reads the answer of a child that has ended.
///
/// # Errors
///
/// Returns what the child has found to be wrong, or how it ended without an answer.
pub(crate) fn answer_of_check(answer: OwnedFd, ended: Ended) -> Result<Vec<u8>, String> {
    let bytes = memory::read(answer).map_err(|error| error.to_string())?;
    match ended {
        Ended::Exited(0) => Ok(bytes),
        Ended::Exited(code) if code == i32::from(Exit::Config.code()) => {
            Err(String::from_utf8_lossy(&bytes).into_owned())
        }
        other => Err(format!("the check of the configuration ended with {other}")),
    }
}
