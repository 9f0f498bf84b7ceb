//! The terminal, as far as a table has to know it.
#![expect(
    unsafe_code,
    reason = "nix wraps no request for the size of a terminal"
)]

use std::os::fd::{AsFd, AsRawFd};

use nix::libc;

/// Returns how many columns a terminal has; `None` for what is none, or does not say.
pub(crate) fn width(terminal: &impl AsFd) -> Option<usize> {
    let mut size = libc::winsize {
        ws_row: 0,
        ws_col: 0,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let fd = terminal.as_fd().as_raw_fd();
    // SAFETY: this request writes one `winsize` to the address that is passed, which is that of `size`, a
    // whole one that lives longer than the call; the descriptor is open while it is borrowed.
    let asked = unsafe { libc::ioctl(fd, libc::TIOCGWINSZ, &raw mut size) };
    (asked == 0 && size.ws_col > 0).then_some(usize::from(size.ws_col))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_has_no_width() {
        let (read, _write) = std::io::pipe().unwrap();
        assert_eq!(width(&read), None);
    }
}
