//! A channel whose messages wait for as long as they cannot be sent.
//!
//! An end that blocks would hold up its whole process; one that gives a message up after the first
//! `ENOBUFS` would leave the other side waiting for ever.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;

use crate::os::process::channel::{Channel, Closed, Message, is_transient};

/// One end of a channel, with the messages that wait to be sent, oldest first.
#[derive(Debug)]
pub(crate) struct QueuedChannel {
    channel: Channel,
    unsent: VecDeque<Unsent>,
    /// How many messages may wait.
    most: usize,
}

#[derive(Debug)]
struct Unsent {
    bytes: Vec<u8>,
    fds: Vec<OwnedFd>,
}

/// Why a message will never be sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    /// The other side is gone.
    #[error("the other side is gone")]
    Gone,
    /// The other side has not read for long.
    #[error("the other side reads nothing, {0} messages wait for it")]
    Full(usize),
    /// The operating system refused, and will again.
    #[error("cannot send")]
    Os(#[source] Errno),
    /// The message cannot wait: its descriptors cannot be kept.
    #[error("cannot keep a descriptor until it can be sent")]
    Keep(#[source] io::Error),
}

impl QueuedChannel {
    /// Lets at most `most` messages wait.
    pub(crate) fn new(channel: Channel, most: usize) -> Self {
        Self {
            channel,
            unsent: VecDeque::new(),
            most,
        }
    }

    /// Sends a message behind those that wait, now or as soon as it can be sent.
    ///
    /// # Errors
    ///
    /// Returns why it never will be.
    pub(crate) fn send(&mut self, bytes: Vec<u8>, fds: &[BorrowedFd<'_>]) -> Result<(), SendError> {
        self.flush()?;
        if self.unsent.is_empty() && send(&self.channel, &bytes, fds)? {
            return Ok(());
        }
        if self.unsent.len() >= self.most {
            return Err(SendError::Full(self.unsent.len()));
        }
        let fds = fds.iter().map(|fd| fd.try_clone_to_owned());
        let fds = fds.collect::<io::Result<_>>().map_err(SendError::Keep)?;
        self.unsent.push_back(Unsent { bytes, fds });
        Ok(())
    }

    /// Sends a message if none waits and it can be sent now; returns whether it was.
    pub(crate) fn try_send(&self, bytes: &[u8]) -> bool {
        self.unsent.is_empty() && matches!(send(&self.channel, bytes, &[]), Ok(true))
    }

    /// Sends of the messages that wait what can be sent now.
    ///
    /// # Errors
    ///
    /// Returns why the first of them never will be.
    pub(crate) fn flush(&mut self) -> Result<(), SendError> {
        while let Some(Unsent { bytes, fds }) = self.unsent.front() {
            let fds: Vec<_> = fds.iter().map(AsFd::as_fd).collect();
            if !send(&self.channel, bytes, &fds)? {
                break;
            }
            self.unsent.pop_front();
        }
        Ok(())
    }

    /// Returns whether messages wait, so that [`flush`](Self::flush) has something to do.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// Receives one message, or `None` if none waits or the system is short of memory for it now.
    ///
    /// # Errors
    ///
    /// Returns an error if no message will come any more.
    pub(crate) fn receive(&self) -> Result<Option<Message>, Closed> {
        match self.channel.receive() {
            Err(Closed::Os(error)) if is_transient(error) => Ok(None),
            received => received,
        }
    }
}

/// Sends a message; returns whether it could be sent now.
fn send(channel: &Channel, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> Result<bool, SendError> {
    match channel.send(bytes, fds) {
        Ok(()) => Ok(true),
        Err(error) if is_transient(error) => Ok(false),
        Err(Errno::EPIPE | Errno::ECONNRESET) => Err(SendError::Gone),
        Err(error) => Err(SendError::Os(error)),
    }
}

impl AsFd for QueuedChannel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.channel.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::process::memory;

    #[test]
    fn messages_that_cannot_be_sent_yet_arrive_later_in_order_with_their_descriptors() {
        let (ours, theirs) = Channel::pair().unwrap();
        let mut ours = QueuedChannel::new(ours, 8);
        let file = memory::file(c"test", b"inside").unwrap();
        let mut sent = 0;
        while ours.unsent.len() < 8 {
            let bytes = format!("{sent}").into_bytes();
            ours.send(bytes, &[file.as_fd()]).unwrap();
            sent += 1;
        }
        assert!(!ours.try_send(b"now"));
        let full = ours.send(b"one too many".to_vec(), &[]);
        assert!(matches!(full, Err(SendError::Full(8))), "{full:?}");
        for number in 0..sent {
            let mut message = loop {
                match theirs.receive().unwrap() {
                    Some(message) => break message,
                    None => ours.flush().unwrap(),
                }
            };
            assert_eq!(message.bytes, format!("{number}").into_bytes());
            assert_eq!(memory::read(message.fds.remove(0)).unwrap(), b"inside");
        }
        assert!(!ours.is_waiting());
        assert!(ours.try_send(b"now"));
    }

    #[test]
    fn an_end_that_is_gone_is_told_at_once() {
        let (ours, theirs) = Channel::pair().unwrap();
        let mut ours = QueuedChannel::new(ours, 8);
        drop(theirs);
        assert!(matches!(
            ours.send(b"x".to_vec(), &[]),
            Err(SendError::Gone)
        ));
    }
}
