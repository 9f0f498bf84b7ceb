//! A worker's thread that notices the end of its supervisor.
//!
//! It is a plain thread and not a task: a runtime that is stuck in an author's code must not keep a
//! worker alive that nobody supervises.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::thread;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// Watches the other end of `channel`; when it is gone, calls `gone` and, `grace` later, ends this
/// process with `code`, whatever it is doing.
///
/// The time limit is read when the supervisor is gone, so that a changed setting counts.
pub(crate) fn watch(
    channel: OwnedFd,
    code: i32,
    grace: impl Fn() -> Option<Duration> + Send + 'static,
    gone: impl FnOnce() + Send + 'static,
) -> io::Result<()> {
    thread::Builder::new()
        .name("lifeline".to_owned())
        .spawn(move || {
            wait_for_hang_up(&channel);
            gone();
            // No limit asked for: the worker's own stop decides when it ends.
            if let Some(grace) = grace() {
                thread::sleep(grace);
                exit_now(code);
            }
        })?;
    Ok(())
}

fn wait_for_hang_up(channel: &OwnedFd) {
    loop {
        // With no events asked for, only the end of the other side wakes this.
        let mut fds = [PollFd::new(channel.as_fd(), PollFlags::empty())];
        if poll(&mut fds, PollTimeout::NONE).is_ok_and(|ready| ready > 0) {
            return;
        }
    }
}

/// Ends this process at once: no destructor, no exit handler, nothing that could be stuck.
pub(crate) fn exit_now(code: i32) -> ! {
    exit::immediately(code)
}

mod exit {
    #![expect(
        unsafe_code,
        reason = "nix wraps _exit as unsafe-free only behind a feature of its own"
    )]

    pub(super) fn immediately(code: i32) -> ! {
        // SAFETY: _exit touches no memory of this process and does not return.
        unsafe { nix::libc::_exit(code) }
    }
}
